#include "tests/support/sim/icmp.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::sim {
namespace {

struct TypeCode {
  std::uint8_t type;
  std::uint8_t code;
};

TypeCode v4_code(IcmpAbout about) {
  switch (about) {
    case IcmpAbout::kNoRoute: return {3, 0};
    case IcmpAbout::kHostUnreachable: return {3, 1};
    case IcmpAbout::kPortUnreachable: return {3, 3};
    case IcmpAbout::kProhibited: return {3, 13};
    case IcmpAbout::kTooBig: return {3, 4};
    case IcmpAbout::kTimeExceeded: return {11, 0};
  }
  return {3, 0};
}

TypeCode v6_code(IcmpAbout about) {
  switch (about) {
    case IcmpAbout::kNoRoute: return {1, 0};
    case IcmpAbout::kHostUnreachable: return {1, 3};
    case IcmpAbout::kPortUnreachable: return {1, 4};
    case IcmpAbout::kProhibited: return {1, 1};
    case IcmpAbout::kTooBig: return {2, 0};
    case IcmpAbout::kTimeExceeded: return {3, 0};
  }
  return {1, 0};
}

bool is_icmp_error(const PacketView& view) {
  if (view.protocol() != (view.is_v4() ? kIcmp : kIcmp6) || view.transport_length() < 1)
    return false;
  const std::uint8_t type = view.transport()[0];
  return view.is_v4() ? type == 3 || type == 4 || type == 5 || type == 11 || type == 12
                      : type < 128;
}

bool is_later_fragment(const PacketView& view) {
  const MutableBytes bytes = view.bytes();
  if (view.is_v4()) return (load_be16(&bytes[6]) & 0x1fffU) != 0;
  return view.is_fragment() && view.transport_length() >= 4 &&
         (load_be16(view.transport() + 2) & 0xfff8U) != 0;
}

}  // namespace

std::optional<Packet> icmp_error(const Packet& packet, IcmpAbout about,
                                 const wire::IpAddress& reporter, std::uint32_t mtu) {
  Packet original = packet;
  const auto view = PacketView::of(original);
  if (!view || is_icmp_error(*view) || is_later_fragment(*view) ||
      view->destination().is_multicast() || view->source().is_unspecified()) {
    return std::nullopt;
  }
  const bool v4 = view->is_v4();
  ENSURE(reporter.is_v4() == v4);
  // As much of the packet as fits the least MTU a host must take (RFC 1812 4.3.2.3, RFC 4443 2.4).
  const std::size_t header = v4 ? 20 : 40;
  const std::size_t quoted =
      std::min(original.size(), (v4 ? std::size_t{576} : std::size_t{1280}) - header - 8);
  Packet out(header + 8);
  out.insert(out.end(), original.begin(), original.begin() + static_cast<std::ptrdiff_t>(quoted));
  const TypeCode code = v4 ? v4_code(about) : v6_code(about);
  out[header] = code.type;
  out[header + 1] = code.code;
  if (about == IcmpAbout::kTooBig) store_be32(&out[header + 4], mtu);
  if (v4) {
    out[0] = 0x45;
    out[8] = 64;
    out[9] = kIcmp;
    store_be16(&out[2], static_cast<std::uint16_t>(out.size()));
  } else {
    out[0] = 0x60;
    out[6] = kIcmp6;
    out[7] = 64;
    store_be16(&out[4], static_cast<std::uint16_t>(out.size() - 40));
  }
  auto answer = PacketView::of(out);
  ENSURE(answer.has_value());
  answer->set_source(reporter);
  answer->set_destination(view->source());
  answer->finish();
  return out;
}

}  // namespace braid::sim
