#include "platform/ip_address.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

namespace braid::platform {

TEST_SUITE_BEGIN("platform");
TEST_CASE("addresses of both families read and print as usual") {
  for (const char* text : {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1", "fe80::1"}) {
    const auto address = IpAddress::parse(text);
    REQUIRE(address);
    CHECK(address->to_string() == text);
    CHECK(IpAddress::from_bytes(address->bytes()) == *address);
  }
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "2001:db8::1%eth0", "[::1]", "host"}) {
    CHECK_FALSE(IpAddress::parse(text));
  }
}

TEST_CASE("a v4-mapped address is another address than its IPv4") {
  CHECK(*IpAddress::parse("::ffff:192.0.2.1") != *IpAddress::parse("192.0.2.1"));
  CHECK(IpAddress::parse("::ffff:192.0.2.1")->family() == AF_INET6);
  CHECK(IpAddress::any(AF_INET6).to_string() == "::");
  CHECK(IpAddress::any(AF_INET) == IpAddress());
}

TEST_CASE("a prefix has a length its family can have; a bare address is one host") {
  CHECK(IpPrefix::parse("192.0.2.0/24")->length == 24);
  CHECK(IpPrefix::parse("192.0.2.1")->length == 32);
  CHECK(IpPrefix::parse("2001:db8::1")->length == 128);
  CHECK(IpPrefix::parse("2001:db8::/32")->to_string() == "2001:db8::/32");
  CHECK(IpPrefix::all(AF_INET6).to_string() == "::/0");
  for (const char* text : {"192.0.2.0/33", "2001:db8::/129", "192.0.2.0/", "192.0.2.0/x",
                           "192.0.2.0/24x", "192.0.2.0/-1", "/24"}) {
    CHECK_FALSE(IpPrefix::parse(text));
  }
}
TEST_SUITE_END();

}  // namespace braid::platform
