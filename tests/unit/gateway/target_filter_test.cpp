#include "gateway/target_filter.h"

#include <doctest/doctest.h>

namespace braid::gateway {
namespace {

using Private = ConcentratorConfig::PrivateTargets;
using Verdict = TargetFilter::Verdict;

TargetFilter filter_with(Private policy) {
  TargetFilter filter(policy);
  filter.set_own_addresses({*wire::InterfaceAddress::parse("203.0.113.5/24"),
                            *wire::InterfaceAddress::parse("2001:db8:5::5/64")});
  return filter;
}

Verdict judge(const TargetFilter& filter, const char* address, std::uint16_t port = 80) {
  return filter.judge({*wire::IpAddress::parse(address), port});
}

TEST_SUITE_BEGIN("gateway");
TEST_CASE("public servers of both families are served") {
  const TargetFilter filter = filter_with(Private::kRefuse);
  CHECK(judge(filter, "198.51.100.7") == Verdict::kAllowed);
  CHECK(judge(filter, "2001:db8:6::2") == Verdict::kAllowed);
}

TEST_CASE("what no connection can go to is malformed (RFC 8803 C24)") {
  const TargetFilter filter = filter_with(Private::kServe);
  for (const char* address :
       {"127.0.0.1", "127.255.1.2", "::1", "224.0.0.1", "239.1.1.1", "ff02::1", "0.0.0.0",
        "0.1.2.3", "::", "255.255.255.255", "240.0.0.1"}) {
    CAPTURE(address);
    CHECK(judge(filter, address) == Verdict::kMalformed);
  }
  CHECK(judge(filter, "198.51.100.7", 0) == Verdict::kMalformed);
}

TEST_CASE("link-local and own addresses are refused even where private ones are served") {
  const TargetFilter filter = filter_with(Private::kServe);
  for (const char* address :
       {"169.254.169.254", "fe80::1", "febf::1", "203.0.113.5", "203.0.113.255", "2001:db8:5::5"}) {
    CAPTURE(address);
    CHECK(judge(filter, address) == Verdict::kForbidden);
  }
  CHECK(judge(filter, "203.0.113.6") == Verdict::kAllowed);
}

TEST_CASE("IPv6 forms do not smuggle an IPv4 address in") {
  const TargetFilter filter = filter_with(Private::kRefuse);
  for (const char* address :
       {"::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "64:ff9b::169.254.169.254",
        "2002:cb00:7105::1", "64:ff9b::10.0.0.1", "2002:a00:1::1"}) {
    CAPTURE(address);
    CHECK(judge(filter, address) != Verdict::kAllowed);
  }
  CHECK(judge(filter, "64:ff9b::198.51.100.7") == Verdict::kAllowed);
}

TEST_CASE("private networks are refused unless the configuration serves them") {
  for (const char* address : {"10.1.2.3", "172.16.0.1", "172.31.255.1", "192.168.1.1", "100.64.0.1",
                              "fd00::1", "fc00::1"}) {
    CAPTURE(address);
    CHECK(judge(filter_with(Private::kRefuse), address) == Verdict::kForbidden);
    CHECK(judge(filter_with(Private::kServe), address) == Verdict::kAllowed);
  }
  CHECK(judge(filter_with(Private::kRefuse), "172.32.0.1") == Verdict::kAllowed);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::gateway
