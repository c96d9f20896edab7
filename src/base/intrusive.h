// Hook: a node of an intrusive, doubly linked ring. Linking and unlinking allocate nothing and take
// O(1). Owner: the object that contains the hook; a list never owns its members. Thread: one. A
// hook that dies unlinks itself, so a list never points at the dead. A hook that is alone points at
// itself.
#pragma once

namespace banyan {

class Hook {
 public:
  Hook() = default;
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  ~Hook() { unlink(); }

  void unlink() {
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = this;
  }
  void link_before(Hook& other) {
    prev_ = other.prev_;
    next_ = &other;
    other.prev_->next_ = this;
    other.prev_ = this;
  }
  bool linked() const { return next_ != this; }
  Hook* next() const { return next_; }
  Hook* prev() const { return prev_; }

 private:
  Hook* prev_ = this;
  Hook* next_ = this;
};

// A list of T, each of which derives from Hook. First in, first out unless told otherwise.
template <class T>
class List {
 public:
  bool empty() const { return !head_.linked(); }
  void push_back(T& item) { static_cast<Hook&>(item).link_before(head_); }
  void push_front(T& item) { static_cast<Hook&>(item).link_before(*head_.next()); }
  T* front() const { return empty() ? nullptr : static_cast<T*>(head_.next()); }
  T* back() const { return empty() ? nullptr : static_cast<T*>(head_.prev()); }
  T* pop_front() {
    T* item = front();
    if (item != nullptr) static_cast<Hook*>(item)->unlink();
    return item;
  }
  // The item after `item`, or null at the end. The list may not change in between.
  T* after(const T& item) const {
    Hook* next = static_cast<const Hook&>(item).next();
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }
  // All of `other`, in its order, at the end of this list.
  void take(List& other) {
    while (T* item = other.pop_front()) push_back(*item);
  }

 private:
  mutable Hook head_;
};

}  // namespace banyan
