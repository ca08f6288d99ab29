#include "stack/wire/checksum.h"

#include <bit>
#include <cstring>

#include "stack/base/ensure.h"

namespace braid::wire {
namespace {

std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t swap_bytes(std::uint16_t v) { return static_cast<std::uint16_t>(v << 8 | v >> 8); }

std::uint64_t halves(const std::uint8_t* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return (word & 0xffffffff) + (word >> 32);
}

// The sum of 16-bit words in the machine's own byte order, folded: RFC 1071 2(B) says that swapping
// the bytes of the result is enough. Four independent sums keep the adders busy; each grows by less
// than 2^33 per step, so none overflows before 2^31 steps of 32 bytes.
std::uint16_t native_sum(const std::uint8_t* p, std::size_t length) {
  std::uint64_t a = 0, b = 0, c = 0, d = 0;
  for (; length >= 32; p += 32, length -= 32) {
    a += halves(p);
    b += halves(p + 8);
    c += halves(p + 16);
    d += halves(p + 24);
  }
  for (; length >= 8; p += 8, length -= 8) a += halves(p);
  std::uint8_t tail[8] = {};
  if (length > 0) std::memcpy(tail, p, length);
  b += halves(tail);
  return fold(std::uint64_t{fold(a)} + fold(b) + fold(c) + fold(d));
}

}  // namespace

void InternetSum::add(Bytes bytes) {
  const std::uint16_t native = native_sum(bytes.data(), bytes.size());
  // In network order, unless this machine's already is; once more when the run starts at an odd
  // byte.
  constexpr bool kLittle = std::endian::native == std::endian::little;
  sum_ += kLittle != odd_ ? swap_bytes(native) : native;
  if (bytes.size() % 2 == 1) odd_ = !odd_;
}

void InternetSum::add(const Slices& bytes) {
  for (Bytes slice : bytes) add(slice);
}

void InternetSum::add_be16(std::uint16_t value) {
  ENSURE(!odd_);
  sum_ += value;
}

void InternetSum::add_be32(std::uint32_t value) {
  add_be16(static_cast<std::uint16_t>(value >> 16));
  add_be16(static_cast<std::uint16_t>(value));
}

void InternetSum::add_be64(std::uint64_t value) {
  add_be32(static_cast<std::uint32_t>(value >> 32));
  add_be32(static_cast<std::uint32_t>(value));
}

std::uint16_t InternetSum::folded() const { return fold(sum_); }

InternetSum pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                              std::uint8_t protocol, std::uint32_t transport_length) {
  ENSURE(source.family() == destination.family());
  // The two families lay their fields out differently; the sum is the same.
  InternetSum sum;
  sum.add(source.bytes());
  sum.add(destination.bytes());
  sum.add_be16(protocol);
  sum.add_be32(transport_length);
  return sum;
}

std::uint16_t dss_checksum(InternetSum data, std::uint64_t data_sequence,
                           std::uint32_t subflow_sequence, std::uint16_t data_length) {
  // The data leads here but follows the pseudo-header in the RFC: a sum does not care, as long as
  // an odd run of data is padded before anything is added after it.
  InternetSum sum;
  sum.add_be16(data.folded());
  sum.add_be64(data_sequence);
  sum.add_be32(subflow_sequence);
  sum.add_be16(data_length);
  return sum.checksum();
}

}  // namespace braid::wire
