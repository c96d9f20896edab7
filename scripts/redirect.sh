#!/bin/sh
# Redirects the TCP connections that applications of this machine make to a transparent entry of the
# ambassador (docs/patterns/ambassador.md), or ends that. Wants root and nft (nftables).
#   redirect.sh add PORT USER PORTS   connections to PORTS ("80,443", "1-65535") go to PORT, but
#                                     those that USER makes, whom Banyan runs as: it would lead its
#                                     own connections to itself. Replaces what was added before.
#   redirect.sh remove                as if there had been nothing
#   redirect.sh show
# Connections to loopback are left alone. All of it is one nftables table, banyan_redirect.
set -eu

table="inet banyan_redirect"

usage() {
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

add() {
  port=$1 ports=$3
  case $port in '' | *[!0-9]*) usage ;; esac
  case $ports in '' | *[!0-9,-]*) usage ;; esac
  user=$(id -u "$2") || exit 1
  # Declared, deleted, made: one transaction, whether it was there or not.
  nft -f - <<END
table $table
delete table $table
table $table {
  chain output {
    type nat hook output priority -100; policy accept;
    meta skuid $user accept
    ip daddr 127.0.0.0/8 accept
    ip6 daddr ::1 accept
    tcp dport { $ports } redirect to :$port
  }
}
END
}

remove() {
  nft -f - <<END
table $table
delete table $table
END
}

[ $# -ge 1 ] || usage
case $1 in
  add) [ $# -eq 4 ] || usage; shift; add "$@" ;;
  remove) [ $# -eq 1 ] || usage; remove ;;
  show) [ $# -eq 1 ] || usage; nft list table $table ;;
  *) usage ;;
esac
