// Segments and options as text, in tcpdump's manner: for logs, traces and failing tests.
#include <fmt/format.h>

#include <iterator>
#include <ostream>

#include "stack/wire/segment.h"

namespace braid::wire {
namespace {

std::string hex(Bytes bytes) {
  std::string out;
  for (std::uint8_t byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", byte);
  return out;
}

std::string flag_letters(const TcpFlags& flags) {
  std::string out;
  if (flags.fin) out += 'F';
  if (flags.syn) out += 'S';
  if (flags.rst) out += 'R';
  if (flags.psh) out += 'P';
  if (flags.ack) out += '.';
  if (flags.urg) out += 'U';
  if (flags.ece) out += 'E';
  if (flags.cwr) out += 'W';
  return out.empty() ? "none" : out;
}

std::string_view ecn_name(Ecn ecn) {
  switch (ecn) {
    case Ecn::kEct0: return "ect0";
    case Ecn::kEct1: return "ect1";
    case Ecn::kCe: return "ce";
    case Ecn::kNotEct: break;
  }
  return "not-ect";
}

std::string text(const MpCapable& o) {
  std::string out =
      fmt::format("mpcapable v{} flags {}{}{}{:#x}", o.version, o.checksum_required ? "A" : "",
                  o.extensibility ? "B" : "", o.deny_join_here ? "C" : "", o.crypto_bits);
  if (o.sender_key) out += fmt::format(" key {:#018x}", *o.sender_key);
  if (o.receiver_key) out += fmt::format(" peer-key {:#018x}", *o.receiver_key);
  if (o.data_length) out += fmt::format(" len {}", *o.data_length);
  if (o.checksum) out += fmt::format(" csum {:#06x}", *o.checksum);
  return out;
}

std::string text(const MpJoinSyn& o) {
  return fmt::format("mpjoin{} id {} token {:#010x} nonce {:#010x}", o.backup ? " backup" : "",
                     o.address_id, o.token, o.nonce);
}

std::string text(const MpJoinSynAck& o) {
  return fmt::format("mpjoin{} id {} hmac {:#018x} nonce {:#010x}", o.backup ? " backup" : "",
                     o.address_id, o.truncated_hmac, o.nonce);
}

std::string text(const MpJoinAck& o) { return "mpjoin hmac " + hex(o.hmac); }

std::string text(const Dss& o) {
  std::string out = "dss";
  if (o.data_fin) out += " fin";
  if (o.data_ack) out += fmt::format(" ack{} {}", o.eight_byte_ack ? 8 : 4, *o.data_ack);
  if (o.mapping) {
    out +=
        fmt::format(" seq{} {} subseq {} len {}", o.mapping->eight_byte_sequence ? 8 : 4,
                    o.mapping->data_sequence, o.mapping->subflow_sequence, o.mapping->data_length);
    if (o.mapping->checksum) out += fmt::format(" csum {:#06x}", *o.mapping->checksum);
  }
  return out;
}

std::string text(const AddAddr& o) {
  std::string out =
      fmt::format("addaddr{} id {} {}", o.echo ? " echo" : "", o.address_id, o.address.to_string());
  if (o.port) out += fmt::format(" port {}", *o.port);
  if (!o.echo) out += fmt::format(" hmac {:#018x}", o.truncated_hmac);
  return out;
}

std::string text(const RemoveAddr& o) {
  std::string out = "removeaddr";
  for (std::size_t i = 0; i < o.count; ++i) out += fmt::format(" {}", o.address_ids[i]);
  return out;
}

std::string text(const MpPrio& o) { return o.backup ? "mpprio backup" : "mpprio"; }

std::string text(const MpFail& o) { return fmt::format("mpfail seq {}", o.data_sequence); }

std::string text(const MpFastclose& o) {
  return fmt::format("mpfastclose key {:#018x}", o.receiver_key);
}

std::string text(const MpTcprst& o) {
  return fmt::format("mptcprst{} reason {}", o.transient ? " transient" : "",
                     static_cast<int>(o.reason));
}

// Collects items with commas between them.
class List {
 public:
  void add(const std::string& item) { text_ += (text_.empty() ? "" : ",") + item; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string describe(const MptcpOption& option) {
  return std::visit([](const auto& o) { return text(o); }, option);
}

std::string describe(const TcpOptions& options) {
  List list;
  if (options.mss) list.add(fmt::format("mss {}", *options.mss));
  if (options.sack_permitted) list.add("sackOK");
  if (options.timestamps) {
    list.add(
        fmt::format("TS val {} ecr {}", options.timestamps->value, options.timestamps->echo_reply));
  }
  if (options.window_scale) list.add(fmt::format("wscale {}", *options.window_scale));
  if (options.fast_open_cookie) {
    const auto& cookie = *options.fast_open_cookie;
    list.add(cookie.empty() ? "tfo cookiereq"
                            : "tfo cookie " + hex(Bytes(cookie.begin(), cookie.end())));
  }
  if (!options.sack.empty()) {
    std::string blocks = "sack";
    for (const SackBlock& block : options.sack) {
      blocks += fmt::format(" {{{}:{}}}", block.begin.value(), block.end.value());
    }
    list.add(blocks);
  }
  for (const MptcpOption& option : options.mptcp) list.add(describe(option));
  for (std::uint8_t kind : options.unknown_kinds) list.add(fmt::format("kind {}", kind));
  return list.take();
}

std::string describe(const Segment& segment) {
  std::string out = fmt::format("{} > {}: [{}] seq {}:{}", segment.source.to_string(),
                                segment.destination.to_string(), flag_letters(segment.flags),
                                segment.seq.value(), segment.seq_end().value());
  auto to = std::back_inserter(out);
  // What a plain segment does not have is named only when it is there.
  if (segment.flags.ack || segment.ack != SeqNum()) {
    fmt::format_to(to, " ack {}", segment.ack.value());
  }
  fmt::format_to(to, " win {}", segment.window);
  if (segment.flags.urg || segment.urgent_pointer != 0) {
    fmt::format_to(to, " urg {}", segment.urgent_pointer);
  }
  if (const std::string options = describe(segment.options); !options.empty()) {
    fmt::format_to(to, " <{}>", options);
  }
  if (segment.ecn != Ecn::kNotEct) fmt::format_to(to, " {}", ecn_name(segment.ecn));
  if (segment.hop_limit != 64) fmt::format_to(to, " ttl {}", segment.hop_limit);
  if (segment.gso_size != 0) fmt::format_to(to, " gso {}", segment.gso_size);
  fmt::format_to(to, " len {}", segment.payload.size());
  return out;
}

std::ostream& operator<<(std::ostream& out, const Segment& segment) {
  return out << describe(segment);
}
std::ostream& operator<<(std::ostream& out, const TcpOptions& options) {
  return out << describe(options);
}
std::ostream& operator<<(std::ostream& out, const MptcpOption& option) {
  return out << describe(option);
}

}  // namespace braid::wire
