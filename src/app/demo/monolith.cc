#include "app/demo/monolith.h"

#include <fmt/format.h>

#include "app/demo/answer.h"
#include "app/demo/goods.h"
#include "task/combine.h"

namespace banyan::demo {

namespace {

constexpr size_t form_bytes_max = 16 * 1024;
constexpr uint32_t quantity_max = 99;
// An order's number: product and quantity in one, so that nothing has to be kept.
constexpr uint32_t order_base = 1000;

// `text` is our own: nothing in it needs escaping.
Response page(Request& request, uint16_t status, std::string_view title, std::string_view text) {
  return make_response(
      request, status, "text/html; charset=utf-8",
      fmt::format("<!doctype html>\n<title>{0}</title>\n<h1>{0}</h1>\n{1}\n", title, text));
}

Response page_not_found(Request& request) {
  return page(request, 404, "Page not found", "<p>Error 0x80040E14. Please call the help desk.");
}

std::string order_form() {
  std::string options;
  for (const Product& p : products()) options += fmt::format("<option value={}>{}", p.id, p.name);
  return "<form method=post action=/orders><select name=product>" + options +
         "</select> <input name=quantity value=1> <button>Order</button></form>";
}

Response order_page(Request& request, std::string_view digits) {
  const uint32_t order = number(digits).value_or(0);
  const Product* product = find_product(order / order_base);
  const uint32_t quantity = order % order_base;
  if (product == nullptr || quantity == 0 || quantity > quantity_max)
    return page_not_found(request);
  return page(request, 200, fmt::format("Order {}", order),
              fmt::format("<p>{} x {}", quantity, product->name));
}

// The old way to say no: 200, and a type that is none of it.
Response customer(Request& request) {
  const auto no = parameter(request.target.query, "no");
  const bool known = no == "1" || no == "2";
  const std::string_view ok = no == "1" ? R"({"ok":true,"CUST_NO":"0001","NM":"MILLER, R"})"
                                        : R"({"ok":true,"CUST_NO":"0002","NM":"OKAFOR, C"})";
  return make_response(request, 200, "text/html",
                       std::string(known ? ok : R"({"ok":false,"ERR":"E042 NO SUCH CUST"})"));
}

Response read_page(Request& request, const Segments& path) {
  if (path.size() == 0)
    return page(request, 200, "Banyan Garden Shop",
                "<p>Since 1998. <a href=/about>About</a> <a href=/orders>Orders</a>");
  if (path.size() == 1 && path[0] == "old-home")
    return page(request, 200, "Our old home page", "<p>You are visitor no. 004711.");
  if (path.size() == 1 && path[0] == "about")
    return page(request, 200, "About us", "<p>One server, one database, one Dave.");
  if (path.size() == 1 && path[0] == "orders") return page(request, 200, "Order", order_form());
  if (path.size() == 2 && path[0] == "orders") return order_page(request, path[1]);
  if (path.size() == 2 && path[0] == "legacy" && path[1] == "customer") return customer(request);
  return page_not_found(request);
}

}  // namespace

Task<Reply> Monolith::report(Request& request) {
  TRY(co_await sleep_for(report_takes));
  co_return page(request, 200, "Report", "<p>This page asked 41 tables.");
}

Task<Reply> Monolith::take_order(Request& request) {
  const std::string form = TRY(co_await read_form(request, form_bytes_max));
  const uint32_t product = number(parameter(form, "product").value_or("")).value_or(0);
  const uint32_t quantity = number(parameter(form, "quantity").value_or("")).value_or(0);
  if (find_product(product) == nullptr || quantity == 0 || quantity > quantity_max)
    co_return page(request, 400, "Order refused", "<p>Which product, and how many (1 to 99)?");
  Response rsp = make_response(request, 303);
  rsp.headers->add(Name::location,
                   request.arena.copy(fmt::format("/orders/{}", product * order_base + quantity)));
  co_return rsp;
}

// What reached the service, field by field, so that one sees what the gateway changed.
Task<Reply> Monolith::echo(Request& request) {
  uint64_t content_bytes = 0;
  while (request.body != nullptr) {
    const Bytes piece = TRY(co_await request.body->read());
    if (piece.empty()) break;
    content_bytes += piece.size();
  }
  std::string text = fmt::format("{} {} HTTP/1.{}\n", request.method_text, request.target.forward,
                                 request.minor_version);
  for (const Field& f : request.headers) text += fmt::format("{}: {}\n", f.name, f.value);
  if (request.body != nullptr) text += fmt::format("\n({} bytes of content)\n", content_bytes);
  co_return make_response(request, 200, "text/plain; charset=utf-8", std::move(text));
}

Task<Reply> Monolith::call(Request& request) {
  const Segments path(request.target.path);
  if (path.size() == 1 && path[0] == "echo") co_return co_await echo(request);
  const bool orders = path.size() == 1 && path[0] == "orders";
  if (orders && request.method == Method::post) co_return co_await take_order(request);
  if (!is_read(request)) co_return not_allowed(request, orders ? "GET, HEAD, POST" : "GET, HEAD");
  if (path.size() == 1 && path[0] == "report") co_return co_await report(request);
  co_return read_page(request, path);
}

}  // namespace banyan::demo
