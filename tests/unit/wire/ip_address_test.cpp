#include "stack/wire/ip_address.h"

#include <doctest/doctest.h>

#include <unordered_set>

TEST_SUITE_BEGIN("wire");

using namespace braid;
using namespace braid::wire;

namespace {

IpAddress ip(std::string_view text) {
  const std::optional<IpAddress> parsed = IpAddress::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), std::string(text));
  return *parsed;
}

Prefix prefix(std::string_view text) {
  const std::optional<Prefix> parsed = Prefix::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), std::string(text));
  return *parsed;
}

}  // namespace

TEST_CASE("addresses are printed as they are usually written") {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "::ffff:192.0.2.1"}) {
    CHECK(ip(text).to_string() == text);
  }
  CHECK(ip("2001:0DB8:0:0:0:0:0:1").to_string() == "2001:db8::1");
}

TEST_CASE("text that is not exactly an address is refused") {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.1 "sv, "1.2.3.4/8"sv, "[::1]"sv,
        "fe80::1%eth0"sv, "1.2.3.4\0x"sv, "::1::"sv, "host"sv,
        "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"sv}) {
    CHECK_MESSAGE(!IpAddress::parse(text), std::string(text));
  }
}

TEST_CASE("an address keeps its bytes in network order") {
  CHECK(IpAddress::v4(0xc0000201) == ip("192.0.2.1"));
  CHECK(ip("192.0.2.1").v4_host_order() == 0xc0000201);
  CHECK(ip("2001:db8::1").bytes().size() == 16);
  CHECK(IpAddress::from_bytes(ip("2001:db8::1").bytes()) == ip("2001:db8::1"));
  CHECK(IpAddress() == ip("0.0.0.0"));
}

TEST_CASE("special addresses are known by their edges") {
  CHECK(ip("0.0.0.0").is_unspecified());
  CHECK(ip("::").is_unspecified());
  CHECK_FALSE(ip("::1").is_unspecified());
  CHECK(ip("127.255.0.1").is_loopback());
  CHECK(ip("::1").is_loopback());
  CHECK_FALSE(ip("128.0.0.1").is_loopback());
  CHECK_FALSE(ip("::2").is_loopback());
  CHECK_FALSE(ip("1::1").is_loopback());
  CHECK(ip("169.254.9.9").is_link_local());
  CHECK(ip("febf::1").is_link_local());
  CHECK_FALSE(ip("fec0::1").is_link_local());
  CHECK_FALSE(ip("169.253.1.1").is_link_local());
  CHECK(ip("224.0.0.1").is_multicast());
  CHECK(ip("239.255.255.255").is_multicast());
  CHECK_FALSE(ip("240.0.0.1").is_multicast());
  CHECK(ip("ff02::1").is_multicast());
}

TEST_CASE("private networks end where their RFCs say") {
  for (const char* text : {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.3.4", "100.64.0.1",
                           "100.127.255.255", "fc00::1", "fdff::1"}) {
    CHECK_MESSAGE(ip(text).is_private(), text);
  }
  for (const char* text : {"11.0.0.1", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.63.0.1",
                           "100.128.0.1", "fe00::1", "2001:db8::1", "8.8.8.8"}) {
    CHECK_MESSAGE(!ip(text).is_private(), text);
  }
}

TEST_CASE("the IPv4 address inside an IPv6 form is found") {
  CHECK(ip("::ffff:127.0.0.1").embedded_v4() == ip("127.0.0.1"));
  CHECK(ip("64:ff9b::10.1.2.3").embedded_v4() == ip("10.1.2.3"));
  CHECK(ip("2002:c0a8:0101::5").embedded_v4() == ip("192.168.1.1"));
  CHECK_FALSE(ip("2001:db8::1").embedded_v4());
  CHECK_FALSE(ip("192.0.2.1").embedded_v4());
  CHECK_FALSE(ip("64:ff9b:1::10.1.2.3").embedded_v4());
}

TEST_CASE("mapping goes there and back, and is a different value") {
  CHECK(ip("192.0.2.1").mapped() == ip("::ffff:192.0.2.1"));
  CHECK(ip("::ffff:192.0.2.1").unmapped() == ip("192.0.2.1"));
  CHECK(ip("192.0.2.1") != ip("::ffff:192.0.2.1"));
  CHECK(ip("2001:db8::1").mapped() == ip("2001:db8::1"));
  CHECK(ip("2001:db8::1").unmapped() == ip("2001:db8::1"));
}

TEST_CASE("endpoints are printed with brackets only around IPv6") {
  CHECK(Endpoint{ip("192.0.2.1"), 80}.to_string() == "192.0.2.1:80");
  CHECK(Endpoint{ip("2001:db8::1"), 80}.to_string() == "[2001:db8::1]:80");
}

TEST_CASE("a prefix contains what shares its leading bits, of its family alone") {
  CHECK(prefix("192.0.2.0/24").contains(ip("192.0.2.255")));
  CHECK_FALSE(prefix("192.0.2.0/24").contains(ip("192.0.3.0")));
  CHECK(prefix("10.0.0.0/9").contains(ip("10.127.0.1")));
  CHECK_FALSE(prefix("10.0.0.0/9").contains(ip("10.128.0.1")));
  CHECK(prefix("0.0.0.0/0").contains(ip("8.8.8.8")));
  CHECK_FALSE(prefix("0.0.0.0/0").contains(ip("::1")));
  CHECK(prefix("2001:db8::/33").contains(ip("2001:db8:7fff::1")));
  CHECK_FALSE(prefix("2001:db8::/33").contains(ip("2001:db8:8000::1")));
  CHECK(prefix("192.0.2.7").contains(ip("192.0.2.7")));
  CHECK_FALSE(prefix("192.0.2.7").contains(ip("192.0.2.6")));
}

TEST_CASE("a parsed prefix has no bits right of its length") {
  CHECK(prefix("192.0.2.77/25").to_string() == "192.0.2.0/25");
  CHECK(prefix("192.0.2.200/25") == prefix("192.0.2.128/25"));
  CHECK(prefix("2001:db8::1/127").to_string() == "2001:db8::/127");
  CHECK(prefix("::1").length == 128);
}

TEST_CASE("a prefix of impossible length is refused") {
  for (const char* text : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8 ",
                           "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/256", "/8"}) {
    CHECK_MESSAGE(!Prefix::parse(text), text);
  }
}

TEST_CASE("hashes of neighbouring addresses differ") {
  std::unordered_set<std::size_t> seen;
  for (std::uint32_t host = 0; host < 1024; ++host) {
    const IpAddress v4 = IpAddress::v4(0x0a000000 + host);
    seen.insert(std::hash<IpAddress>()(v4));
    seen.insert(std::hash<IpAddress>()(v4.mapped()));
  }
  CHECK(seen.size() == 2 * 1024);
}

TEST_SUITE_END();
