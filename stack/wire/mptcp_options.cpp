#include "stack/wire/mptcp_options.h"

#include <algorithm>

#include "stack/base/ensure.h"

namespace braid::wire {
namespace {

constexpr std::uint8_t kKind = 30;

enum Subtype : std::uint8_t {
  kMpCapable = 0,
  kMpJoin = 1,
  kDss = 2,
  kAddAddr = 3,
  kRemoveAddr = 4,
  kMpPrio = 5,
  kMpFail = 6,
  kMpFastclose = 7,
  kMpTcprst = 8,
};

// MP_CAPABLE's flags
constexpr std::uint8_t kChecksumRequired = 0x80;
constexpr std::uint8_t kExtensibility = 0x40;
constexpr std::uint8_t kDenyJoinHere = 0x20;
constexpr std::uint8_t kCryptoMask = 0x1f;

// DSS's flags
constexpr std::uint8_t kDataFin = 0x10;
constexpr std::uint8_t kEightByteSequence = 0x08;
constexpr std::uint8_t kHasMapping = 0x04;
constexpr std::uint8_t kEightByteAck = 0x02;
constexpr std::uint8_t kHasDataAck = 0x01;

// The one bit in the nibble beside the subtype: B of MP_JOIN and MP_PRIO, E of ADD_ADDR, T of
// MP_TCPRST.
constexpr std::uint8_t kNibbleFlag = 0x01;

// Takes big-endian fields off the front. The lengths were checked by the caller.
class Reader {
 public:
  explicit Reader(const std::uint8_t* at) : at_(at) {}
  std::uint16_t be16() { return load_be16(step(2)); }
  std::uint32_t be32() { return load_be32(step(4)); }
  std::uint64_t be64() { return load_be64(step(8)); }
  const std::uint8_t* step(std::size_t n) {
    at_ += n;
    return at_ - n;
  }

 private:
  const std::uint8_t* at_;
};

class Writer {
 public:
  explicit Writer(std::uint8_t* at) : at_(at) {}
  void u8(unsigned value) { *at_++ = static_cast<std::uint8_t>(value); }
  void be16(std::uint16_t value) { store_be16(step(2), value); }
  void be32(std::uint32_t value) { store_be32(step(4), value); }
  void be64(std::uint64_t value) { store_be64(step(8), value); }
  void bytes(Bytes from) { std::copy(from.begin(), from.end(), step(from.size())); }

 private:
  std::uint8_t* step(std::size_t n) {
    at_ += n;
    return at_ - n;
  }
  std::uint8_t* at_;
};

// ---- Reading: `bytes` is the whole option, at least three bytes long.

std::optional<MptcpOption> parse_mp_capable(Bytes bytes) {
  const std::size_t length = bytes.size();
  if (length != 4 && length != 12 && length != 20 && length != 22 && length != 24) return {};
  MpCapable out;
  out.version = bytes[2] & 0xf;
  out.checksum_required = (bytes[3] & kChecksumRequired) != 0;
  out.extensibility = (bytes[3] & kExtensibility) != 0;
  out.deny_join_here = (bytes[3] & kDenyJoinHere) != 0;
  out.crypto_bits = bytes[3] & kCryptoMask;
  Reader reader(bytes.data() + 4);
  if (length >= 12) out.sender_key = reader.be64();
  if (length >= 20) out.receiver_key = reader.be64();
  if (length >= 22) out.data_length = reader.be16();
  if (length >= 24) out.checksum = reader.be16();
  return out;
}

std::optional<MptcpOption> parse_mp_join(Bytes bytes) {
  Reader reader(bytes.data() + 4);
  const bool backup = (bytes[2] & kNibbleFlag) != 0;
  switch (bytes.size()) {
    case 12: {
      MpJoinSyn out{backup, bytes[3]};
      out.token = reader.be32();
      out.nonce = reader.be32();
      return out;
    }
    case 16: {
      MpJoinSynAck out{backup, bytes[3]};
      out.truncated_hmac = reader.be64();
      out.nonce = reader.be32();
      return out;
    }
    case 24: {
      MpJoinAck out;
      std::copy_n(bytes.begin() + 4, out.hmac.size(), out.hmac.begin());
      return out;
    }
    default: return {};
  }
}

std::optional<MptcpOption> parse_dss(Bytes bytes) {
  if (bytes.size() < 4) return {};
  const std::uint8_t flags = bytes[3];
  Dss out;
  out.data_fin = (flags & kDataFin) != 0;
  std::size_t length = 4;
  if (flags & kHasDataAck) {
    out.eight_byte_ack = (flags & kEightByteAck) != 0;
    length += out.eight_byte_ack ? 8 : 4;
  }
  if (flags & kHasMapping) length += (flags & kEightByteSequence ? 8 : 4) + 4 + 2;
  const bool has_checksum = (flags & kHasMapping) && bytes.size() == length + 2;
  if (!has_checksum && bytes.size() != length) return {};

  Reader reader(bytes.data() + 4);
  if (flags & kHasDataAck) out.data_ack = out.eight_byte_ack ? reader.be64() : reader.be32();
  if (flags & kHasMapping) {
    Dss::Mapping mapping;
    mapping.eight_byte_sequence = (flags & kEightByteSequence) != 0;
    mapping.data_sequence = mapping.eight_byte_sequence ? reader.be64() : reader.be32();
    mapping.subflow_sequence = reader.be32();
    mapping.data_length = reader.be16();
    if (has_checksum) mapping.checksum = reader.be16();
    out.mapping = mapping;
  }
  return out;
}

std::optional<MptcpOption> parse_add_addr(Bytes bytes) {
  AddAddr out;
  out.echo = (bytes[2] & kNibbleFlag) != 0;
  // The length alone tells family and port, once the HMAC is set aside (M4).
  const std::size_t hmac_length = out.echo ? 0 : 8;
  if (bytes.size() < 8 + hmac_length) return {};
  const std::size_t length = bytes.size() - hmac_length;
  if (length != 8 && length != 10 && length != 20 && length != 22) return {};
  out.address_id = bytes[3];
  const std::size_t address_length = length >= 20 ? 16 : 4;
  out.address = IpAddress::from_bytes(bytes.subspan(4, address_length));
  Reader reader(bytes.data() + 4 + address_length);
  if (length % 4 == 2) out.port = reader.be16();
  if (!out.echo) out.truncated_hmac = reader.be64();
  return out;
}

std::optional<MptcpOption> parse_remove_addr(Bytes bytes) {
  const std::size_t count = bytes.size() - 3;
  if (count < 1 || count > RemoveAddr::kMaxIds) return {};
  RemoveAddr out;
  out.count = static_cast<std::uint8_t>(count);
  std::copy(bytes.begin() + 3, bytes.end(), out.address_ids.begin());
  return out;
}

// ---- Lengths

std::size_t length_of(const MpCapable& o) {
  ENSURE(o.sender_key || !o.receiver_key);
  ENSURE(o.receiver_key || !o.data_length);
  ENSURE(o.data_length || !o.checksum);
  return 4 + (o.sender_key ? 8U : 0U) + (o.receiver_key ? 8U : 0U) + (o.data_length ? 2U : 0U) +
         (o.checksum ? 2U : 0U);
}
std::size_t length_of(const MpJoinSyn&) { return 12; }
std::size_t length_of(const MpJoinSynAck&) { return 16; }
std::size_t length_of(const MpJoinAck&) { return 24; }
std::size_t length_of(const Dss& o) {
  std::size_t length = 4;
  if (o.data_ack) length += o.eight_byte_ack ? 8 : 4;
  if (o.mapping) {
    length += (o.mapping->eight_byte_sequence ? 8U : 4U) + 6 + (o.mapping->checksum ? 2U : 0U);
  }
  return length;
}
std::size_t length_of(const AddAddr& o) {
  return 4 + o.address.bytes().size() + (o.port ? 2U : 0U) + (o.echo ? 0U : 8U);
}
std::size_t length_of(const RemoveAddr& o) {
  ENSURE(o.count >= 1 && o.count <= RemoveAddr::kMaxIds);
  return 3U + o.count;
}
std::size_t length_of(const MpPrio&) { return 3; }
std::size_t length_of(const MpFail&) { return 12; }
std::size_t length_of(const MpFastclose&) { return 12; }
std::size_t length_of(const MpTcprst&) { return 4; }

// ---- Writing what follows kind and length; the first byte is the subtype and its nibble.

unsigned first_byte(Subtype subtype, unsigned nibble) { return unsigned{subtype} << 4 | nibble; }

void write_body(Writer& to, const MpCapable& o) {
  to.u8(first_byte(kMpCapable, o.version & 0xfU));
  to.u8((o.checksum_required ? kChecksumRequired : 0U) | (o.extensibility ? kExtensibility : 0U) |
        (o.deny_join_here ? kDenyJoinHere : 0U) | (o.crypto_bits & kCryptoMask));
  if (o.sender_key) to.be64(*o.sender_key);
  if (o.receiver_key) to.be64(*o.receiver_key);
  if (o.data_length) to.be16(*o.data_length);
  if (o.checksum) to.be16(*o.checksum);
}

void write_body(Writer& to, const MpJoinSyn& o) {
  to.u8(first_byte(kMpJoin, o.backup ? kNibbleFlag : 0));
  to.u8(o.address_id);
  to.be32(o.token);
  to.be32(o.nonce);
}

void write_body(Writer& to, const MpJoinSynAck& o) {
  to.u8(first_byte(kMpJoin, o.backup ? kNibbleFlag : 0));
  to.u8(o.address_id);
  to.be64(o.truncated_hmac);
  to.be32(o.nonce);
}

void write_body(Writer& to, const MpJoinAck& o) {
  to.u8(first_byte(kMpJoin, 0));
  to.u8(0);
  to.bytes(o.hmac);
}

void write_body(Writer& to, const Dss& o) {
  to.u8(first_byte(kDss, 0));
  unsigned flags = o.data_fin ? kDataFin : 0U;
  if (o.data_ack) flags |= kHasDataAck | (o.eight_byte_ack ? kEightByteAck : 0U);
  if (o.mapping) flags |= kHasMapping | (o.mapping->eight_byte_sequence ? kEightByteSequence : 0U);
  to.u8(flags);
  if (o.data_ack && o.eight_byte_ack) to.be64(*o.data_ack);
  if (o.data_ack && !o.eight_byte_ack) to.be32(static_cast<std::uint32_t>(*o.data_ack));
  if (!o.mapping) return;
  if (o.mapping->eight_byte_sequence) {
    to.be64(o.mapping->data_sequence);
  } else {
    to.be32(static_cast<std::uint32_t>(o.mapping->data_sequence));
  }
  to.be32(o.mapping->subflow_sequence);
  to.be16(o.mapping->data_length);
  if (o.mapping->checksum) to.be16(*o.mapping->checksum);
}

void write_body(Writer& to, const AddAddr& o) {
  to.u8(first_byte(kAddAddr, o.echo ? kNibbleFlag : 0));
  to.u8(o.address_id);
  to.bytes(o.address.bytes());
  if (o.port) to.be16(*o.port);
  if (!o.echo) to.be64(o.truncated_hmac);
}

void write_body(Writer& to, const RemoveAddr& o) {
  to.u8(first_byte(kRemoveAddr, 0));
  to.bytes(Bytes(o.address_ids).first(o.count));
}

void write_body(Writer& to, const MpPrio& o) {
  to.u8(first_byte(kMpPrio, o.backup ? kNibbleFlag : 0));
}

void write_body(Writer& to, const MpFail& o) {
  to.u8(first_byte(kMpFail, 0));
  to.u8(0);
  to.be64(o.data_sequence);
}

void write_body(Writer& to, const MpFastclose& o) {
  to.u8(first_byte(kMpFastclose, 0));
  to.u8(0);
  to.be64(o.receiver_key);
}

void write_body(Writer& to, const MpTcprst& o) {
  to.u8(first_byte(kMpTcprst, o.transient ? kNibbleFlag : 0));
  to.u8(static_cast<unsigned>(o.reason));
}

}  // namespace

std::optional<MptcpOption> parse_mptcp_option(Bytes bytes) {
  if (bytes.size() < 3 || bytes[0] != kKind || bytes[1] != bytes.size()) return {};
  const bool flag = (bytes[2] & kNibbleFlag) != 0;
  switch (bytes[2] >> 4) {
    case kMpCapable: return parse_mp_capable(bytes);
    case kMpJoin: return parse_mp_join(bytes);
    case kDss: return parse_dss(bytes);
    case kAddAddr: return parse_add_addr(bytes);
    case kRemoveAddr: return parse_remove_addr(bytes);
    case kMpPrio:
      if (bytes.size() != 3) return {};
      return MpPrio{flag};
    case kMpFail:
      if (bytes.size() != 12) return {};
      return MpFail{load_be64(bytes.data() + 4)};
    case kMpFastclose:
      if (bytes.size() != 12) return {};
      return MpFastclose{load_be64(bytes.data() + 4)};
    case kMpTcprst:
      if (bytes.size() != 4) return {};
      return MpTcprst{flag, TcprstReason{bytes[3]}};
    default: return {};
  }
}

std::size_t encoded_length(const MptcpOption& option) {
  return std::visit([](const auto& o) { return length_of(o); }, option);
}

std::size_t write_mptcp_option(const MptcpOption& option, MutableBytes to) {
  const std::size_t length = encoded_length(option);
  ENSURE(to.size() >= length);
  Writer writer(to.data());
  writer.u8(kKind);
  writer.u8(static_cast<unsigned>(length));
  std::visit([&writer](const auto& o) { write_body(writer, o); }, option);
  return length;
}

}  // namespace braid::wire
