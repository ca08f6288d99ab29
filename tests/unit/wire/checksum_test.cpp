#include "stack/wire/checksum.h"

#include <doctest/doctest.h>

#include "stack/base/random.h"
#include "tests/unit/wire/hex.h"

TEST_SUITE_BEGIN("wire");

using namespace braid;
using namespace braid::wire;
using test::from_hex;

namespace {

// The definition, word by word.
std::uint16_t slow_sum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(sum);
}

std::vector<std::uint8_t> random_bytes(Random& random, std::size_t length) {
  std::vector<std::uint8_t> out(length);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random.u32());
  return out;
}

}  // namespace

TEST_CASE("the sum of RFC 1071 section 3 comes out") {
  InternetSum sum;
  sum.add(from_hex("0001 f203 f4f5 f6f7"));
  CHECK(sum.folded() == 0xddf2);
  CHECK(sum.checksum() == 0x220d);
}

TEST_CASE("the header checksum of a known IPv4 header is zero over the whole") {
  InternetSum sum;
  sum.add(from_hex("4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7"));
  CHECK(sum.checksum() == 0);
}

TEST_CASE("any length and any cut sums like the definition") {
  Random random(11);
  for (std::size_t length : {0U, 1U, 2U, 7U, 8U, 31U, 32U, 33U, 1460U, 1461U, 65535U}) {
    const std::vector<std::uint8_t> bytes = random_bytes(random, length);
    const std::uint16_t expected = slow_sum(bytes);
    InternetSum whole;
    whole.add(Bytes(bytes));
    CHECK(whole.folded() == expected);
    for (int i = 0; i < 20; ++i) {
      const std::size_t first = random.below(static_cast<std::uint32_t>(length) + 1);
      const std::size_t second =
          first + random.below(static_cast<std::uint32_t>(length - first) + 1);
      InternetSum cut;
      cut.add(Bytes(bytes).first(first));
      cut.add(Bytes(bytes).subspan(first, second - first));
      cut.add(Bytes(bytes).subspan(second));
      CHECK_MESSAGE(cut.folded() == expected, length, " cut at ", first, " and ", second);
    }
  }
}

TEST_CASE("a run of all ones stays all ones") {
  const std::vector<std::uint8_t> bytes(65534, 0xff);
  InternetSum sum;
  sum.add(Bytes(bytes));
  CHECK(sum.folded() == 0xffff);
}

TEST_CASE("numbers are summed as their big-endian bytes") {
  InternetSum numbers;
  numbers.add_be64(0x0102030405060708);
  numbers.add_be32(0x090a0b0c);
  numbers.add_be16(0x0d0e);
  CHECK(numbers.folded() == slow_sum(from_hex("0102030405060708090a0b0c0d0e")));
}

TEST_CASE("the pseudo-header has the fields of both families") {
  const InternetSum v4 = pseudo_header_sum(*IpAddress::parse("192.0.2.1"),
                                           *IpAddress::parse("198.51.100.2"), 6, 0x1234);
  CHECK(v4.folded() == slow_sum(from_hex("c0000201 c6336402 0006 1234")));
  const InternetSum v6 = pseudo_header_sum(*IpAddress::parse("2001:db8::1"),
                                           *IpAddress::parse("2001:db8::2"), 6, 0x12345);
  CHECK(v6.folded() == slow_sum(from_hex("20010db8000000000000000000000001"
                                         "20010db8000000000000000000000002"
                                         "00012345 00000006")));
}

TEST_CASE("the DSS checksum covers data and pseudo-header") {
  const std::vector<std::uint8_t> data = from_hex("48656c6c6f");  // odd: padded with a zero
  const std::vector<std::uint8_t> all = from_hex(
      "48656c6c6f00"
      "1122334455667788"  // 64-bit DSN
      "00000001"          // SSN
      "0005 0000");       // length, zeros
  InternetSum sum;
  sum.add(Bytes(data));
  const std::uint16_t checksum = dss_checksum(sum, 0x1122334455667788, 1, 5);
  CHECK(checksum == static_cast<std::uint16_t>(~slow_sum(all)));

  InternetSum verify;  // a receiver that sums everything, the checksum in place of the zeros
  verify.add(Bytes(all));
  verify.add_be16(checksum);
  CHECK(verify.checksum() == 0);
}

TEST_CASE("a DATA_FIN alone is summed over the pseudo-header") {
  CHECK(dss_checksum(InternetSum(), 0x10, 0, 1) == static_cast<std::uint16_t>(~0x11));
}

TEST_SUITE_END();
