#include "stack/ip/lwip_layer.h"

#include <algorithm>
#include <cstring>

#include "lwip/init.h"
#include "lwip/ip.h"
#include "lwip/ip4_frag.h"
#include "lwip/memp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/raw.h"
#include "lwip/stats.h"
#include "stack/base/ensure.h"
#include "stack/wire/ip_header.h"

extern "C" void braid_lwip_assert_failed(const char* message, const char* file, int line) {
  braid::ensure_failed(message, file, line);
}

namespace braid::ip {
namespace {

constexpr Duration kTick = 1s;  // lwIP counts a fragment's age in these
constexpr std::size_t kMaxPbuf = 65535;
constexpr std::uint16_t kEchoMtu = 1500;  // larger echo replies leave in fragments

bool taken = false;  // lwIP's globals have an owner

bool is_echo_request(const Header& header) {
  const std::uint8_t type = header.source.is_v4() ? 8 : 128;
  return header.protocol == (header.source.is_v4() ? wire::kProtocolIcmp : wire::kProtocolIcmpv6) &&
         !header.transport.empty() && header.transport[0] == type;
}

std::uint32_t datagrams_waiting() { return lwip_stats.memp[MEMP_REASSDATA]->used; }

std::vector<std::uint8_t> copy_of(const pbuf* chain) {
  std::vector<std::uint8_t> bytes;
  for (const pbuf* p = chain; p != nullptr; p = p->next) {
    const auto* begin = static_cast<const std::uint8_t*>(p->payload);
    bytes.insert(bytes.end(), begin, begin + p->len);
  }
  return bytes;
}

void nothing_to_free(pbuf*) {}

}  // namespace

struct LwipLayer::Glue {
  // The packet in lwIP's hands.
  struct Current {
    InterfaceId interface;
    const PacketIn& packet;
    const Header& header;
    Instant now;
    bool from_fragments = false;
    Input result = Nothing{};
    bool answering = false;  // lwIP may send
    bool numbered = false;   // the answer leaves in fragments and has got its number
  };

  explicit Glue(LwipLayer& layer) : owner(layer) {
    static const bool initialised = (lwip_init(), true);
    static_cast<void>(initialised);
    netif_add(&interface, nullptr, nullptr, nullptr, this, &Glue::set_up, &::ip_input);
    netif_set_default(&interface);
    netif_set_up(&interface);
    netif_set_link_up(&interface);
    pcb = raw_new_ip_type(IPADDR_TYPE_ANY, wire::kProtocolTcp);
    ENSURE(pcb != nullptr);
    raw_recv(pcb, &Glue::on_raw, this);
  }

  ~Glue() {
    current = nullptr;
    while (datagrams_waiting() > 0) ip_reass_tmr();
    raw_remove(pcb);
    netif_remove(&interface);
  }

  static err_t set_up(netif* n) {
    n->name[0] = 'b';
    n->name[1] = 'r';
    n->mtu = kEchoMtu;
    n->output = [](netif* from, pbuf* p, const ip4_addr_t*) { return on_output(from, p); };
    n->output_ip6 = [](netif* from, pbuf* p, const ip6_addr_t*) { return on_output(from, p); };
    return ERR_OK;
  }

  // The netif takes on the destination of the packet in hand.
  void take_on(const wire::IpAddress& address) {
    if (address.is_v4()) {
      ip4_addr_t own;
      std::memcpy(&own.addr, address.bytes().data(), 4);
      ip_addr_copy_from_ip4(interface.ip_addr, own);
    } else {
      ip6_addr_t own{};
      std::memcpy(own.addr, address.bytes().data(), 16);
      ip_addr_copy_from_ip6(interface.ip6_addr[0], own);
      interface.ip6_addr_state[0] = IP6_ADDR_PREFERRED;
    }
  }

  static u8_t on_raw(void* self, raw_pcb*, pbuf* p, const ip_addr_t*) {
    auto& glue = *static_cast<Glue*>(self);
    ENSURE(glue.current != nullptr);
    Current& c = *glue.current;
    Header whole = c.header;
    if (c.from_fragments) {
      glue.owner.whole_ = copy_of(p);
      c.result = glue.owner.interpret_whole(glue.owner.whole_);
      const auto parsed = parse_header(glue.owner.whole_);
      if (const auto* header = std::get_if<Header>(&parsed)) whole = *header;
    } else {
      c.result = glue.owner.interpret(c.header, c.packet);
    }
    if (std::holds_alternative<Datagram>(c.result) && is_echo_request(whole) &&
        glue.owner.is_own(whole.destination)) {
      c.result = Nothing{};
      c.answering = true;
      return 0;  // not eaten: lwIP's ICMP goes on with it
    }
    pbuf_free(p);
    return 1;
  }

  static err_t on_output(netif* from, pbuf* p) {
    auto& glue = *static_cast<Glue*>(from->state);
    if (glue.current == nullptr || !glue.current->answering) return ERR_OK;
    std::vector<std::uint8_t> packet = copy_of(p);
    glue.number(packet);
    glue.owner.enqueue(glue.current->interface, std::move(packet), glue.current->now);
    return ERR_OK;
  }

  // lwIP numbers the datagrams it cuts from one counter of the process; a layer has its own, or
  // what it sends would depend on layers before it. (An IPv4 reply keeps the number of its
  // request.)
  void number(std::vector<std::uint8_t>& packet) {
    constexpr std::size_t kFragmentHeader = wire::kIpv6HeaderBytes;
    if (packet[0] >> 4 != 6 || packet[6] != kProtocolFragment) return;
    if (!current->numbered) ++answers_cut;
    current->numbered = true;
    store_be32(&packet[kFragmentHeader + 4], answers_cut);
  }

  // A pbuf that refers to bytes which outlive the call; lwIP reads but never writes them.
  pbuf* refer_to(Bytes bytes) {
    reference.custom_free_function = &nothing_to_free;
    const auto length = static_cast<u16_t>(bytes.size());
    pbuf* p = pbuf_alloced_custom(PBUF_RAW, length, PBUF_REF, &reference,
                                  const_cast<std::uint8_t*>(bytes.data()), length);
    ENSURE(p != nullptr);
    return p;
  }

  // Gives lwIP one packet and returns what came out of it.
  Input input(pbuf* p, Current c) {
    current = &c;
    take_on(c.header.destination);
    pcb->protocol = c.header.first_protocol;
    ip_input(p, &interface);
    current = nullptr;
    return std::move(c.result);
  }

  LwipLayer& owner;
  netif interface {};
  raw_pcb* pcb = nullptr;
  pbuf_custom reference{};
  Current* current = nullptr;
  std::uint32_t answers_cut = 0;
};

LwipLayer::LwipLayer() {
  ENSURE(!taken);
  taken = true;
  glue_ = std::make_unique<Glue>(*this);
}

LwipLayer::~LwipLayer() {
  glue_.reset();
  taken = false;
}

Input LwipLayer::accept(InterfaceId interface, const PacketIn& packet, const Header& header,
                        Instant now) {
  if (header.fragment) {
    return header.source.is_v4() ? accept_ipv4_fragment(interface, header, now)
                                 : accept_ipv6_fragment(interface, header, now);
  }
  // A super-packet of IPv6 may pass a pbuf's 65535 bytes by its header, which is checked already.
  if (packet.bytes.size() > kMaxPbuf) return interpret(header, packet);
  return glue_->input(glue_->refer_to(packet.bytes),
                      {.interface = interface, .packet = packet, .header = header, .now = now});
}

Input LwipLayer::accept_ipv4_fragment(InterfaceId interface, const Header& header, Instant now) {
  const std::vector<std::uint8_t> plain = build_packet(header, header.transport);
  pbuf* copy = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(plain.size()), PBUF_RAM);
  ENSURE(copy != nullptr);
  std::memcpy(copy->payload, plain.data(), plain.size());

  const std::int64_t waiting_before = datagrams_waiting();
  const auto refused_before = lwip_stats.ip_frag.drop;
  const auto known_before = lwip_stats.ip_frag.cachehit;
  const std::uint64_t whole_before = counters_.reassembled;
  Input input = glue_->input(copy, {.interface = interface,
                                    .packet = PacketIn{},
                                    .header = header,
                                    .now = now,
                                    .from_fragments = true});

  // What lwIP does not tell follows from its figures: a queued piece of an unknown datagram adds
  // one, a whole one takes one away, and the rest of the difference had to make room.
  const bool refused = lwip_stats.ip_frag.drop != refused_before;
  const bool started = !refused && lwip_stats.ip_frag.cachehit == known_before;
  const std::int64_t evicted = waiting_before + (started ? 1 : 0) - datagrams_waiting() -
                               static_cast<std::int64_t>(counters_.reassembled - whole_before);
  counters_.fragments_refused += refused ? 1 : 0;
  counters_.reassembly_failed += static_cast<std::uint64_t>(std::max<std::int64_t>(0, evicted));
  if (datagrams_waiting() == 0) {
    next_tick_ = kNever;
  } else if (next_tick_ == kNever) {
    next_tick_ = now + kTick;
  }
  return input;
}

Input LwipLayer::accept_ipv6_fragment(InterfaceId interface, const Header& header, Instant now) {
  const auto whole = reassemble(ipv6_, header, now);
  if (!whole) return Nothing{};
  const auto parsed = parse_header(*whole);
  const auto* whole_header = std::get_if<Header>(&parsed);
  if (whole_header == nullptr || whole_header->fragment) {
    ++counters_.malformed;
    return Nothing{};
  }
  return glue_->input(glue_->refer_to(*whole), {.interface = interface,
                                                .packet = PacketIn{},
                                                .header = *whole_header,
                                                .now = now,
                                                .from_fragments = true});
}

void LwipLayer::fire_timers(Instant now) {
  const std::uint32_t before = datagrams_waiting();
  while (next_tick_ <= now && datagrams_waiting() > 0) {
    ip_reass_tmr();
    next_tick_ += kTick;
  }
  if (datagrams_waiting() == 0) next_tick_ = kNever;
  counters_.reassembly_failed += before - datagrams_waiting() + ipv6_.expire(now);
}

Instant LwipLayer::reassembly_deadline() const {
  return std::min(next_tick_, ipv6_.next_deadline());
}

}  // namespace braid::ip
