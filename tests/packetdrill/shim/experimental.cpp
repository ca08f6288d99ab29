#include "tests/packetdrill/shim/experimental.h"

#include <algorithm>
#include <array>

#include "stack/base/bytes.h"

namespace braid::pd {
namespace {

constexpr std::uint8_t kEnd = 0, kNop = 1, kFastOpen = 34, kExperimental = 254;
constexpr std::uint16_t kMagic = 0xf989;
constexpr std::uint8_t kSyn = 0x02;

// The TCP options of a SYN; both zero for anything else.
struct Area {
  std::size_t tcp = 0;  // where the header begins
  std::size_t begin = 0, end = 0;
};

Area options_of(const std::vector<std::uint8_t>& packet) {
  const bool v6 = !packet.empty() && packet[0] >> 4 == 6;
  if (packet.size() < (v6 ? 60U : 40U) || packet[v6 ? 6 : 9] != 6) return {};
  const std::size_t tcp = v6 ? 40 : std::size_t{4} * (packet[0] & 15);
  if (tcp + 20 > packet.size() || (packet[tcp + 13] & kSyn) == 0) return {};
  const std::size_t end = tcp + std::size_t{4} * (packet[tcp + 12] >> 4);
  return {.tcp = tcp, .begin = tcp + 20, .end = std::min(end, packet.size())};
}

// Where the option of this kind begins; the end of the area without one.
std::size_t find(const std::vector<std::uint8_t>& packet, const Area& area, std::uint8_t kind) {
  for (std::size_t at = area.begin; at + 1 < area.end && packet[at] != kEnd;) {
    if (packet[at] == kind) return at;
    at += packet[at] == kNop ? 1 : std::max<std::size_t>(packet[at + 1], 2);
  }
  return area.end;
}

std::uint32_t sum_of(const std::vector<std::uint8_t>& packet, const Area& area) {
  std::uint32_t sum = 0;
  for (std::size_t at = area.begin; at < area.end; at += 2) sum += load_be16(packet.data() + at);
  return sum;
}

// The header's checksum after a change of the options that summed up to `before` (RFC 1624).
void amend_checksum(std::vector<std::uint8_t>& packet, const Area& area, std::uint32_t before) {
  const auto fold = [](std::uint32_t sum) {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
  };
  std::uint8_t* const field = packet.data() + area.tcp + 16;
  const std::uint32_t old = ~std::uint32_t{load_be16(field)} & 0xffff;
  const std::uint32_t sum = fold(old + (~fold(before) & 0xffff) + fold(sum_of(packet, area)));
  store_be16(field, static_cast<std::uint16_t>(~sum));
}

}  // namespace

bool from_experimental(std::vector<std::uint8_t>& packet) {
  const Area area = options_of(packet);
  const std::size_t at = find(packet, area, kExperimental);
  if (at + 4 > area.end || packet[at + 1] < 4 || at + packet[at + 1] > area.end) return false;
  if (load_be16(packet.data() + at + 2) != kMagic) return false;
  const std::uint32_t before = sum_of(packet, area);
  const std::size_t length = packet[at + 1];
  std::vector<std::uint8_t> cookie(packet.begin() + static_cast<std::ptrdiff_t>(at + 4),
                                   packet.begin() + static_cast<std::ptrdiff_t>(at + length));
  packet[at] = kFastOpen;
  packet[at + 1] = static_cast<std::uint8_t>(length - 2);
  std::copy(cookie.begin(), cookie.end(), packet.begin() + static_cast<std::ptrdiff_t>(at + 2));
  packet[at + length - 2] = packet[at + length - 1] = kNop;
  amend_checksum(packet, area, before);
  return true;
}

void to_experimental(std::vector<std::uint8_t>& packet) {
  const Area area = options_of(packet);
  const std::size_t at = find(packet, area, kFastOpen);
  if (at + 2 > area.end) return;
  const std::size_t length = packet[at + 1];
  if (at + length + 2 > area.end) return;
  if (packet[at + length] != kNop || packet[at + length + 1] != kNop) return;
  const std::uint32_t before = sum_of(packet, area);
  const auto first = packet.begin() + static_cast<std::ptrdiff_t>(at);
  std::copy_backward(first + 2, first + static_cast<std::ptrdiff_t>(length),
                     first + static_cast<std::ptrdiff_t>(length + 2));
  packet[at] = kExperimental;
  packet[at + 1] = static_cast<std::uint8_t>(length + 2);
  store_be16(packet.data() + at + 2, kMagic);
  amend_checksum(packet, area, before);
}

}  // namespace braid::pd
