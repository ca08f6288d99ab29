// MPTCP options (RFC 8684, TCP option kind 30) as plain structs.
//
// Reading is strict in length and lenient in reserved bits; writing gives reserved bits as zero
// (M11). Field names are the RFC's. Nothing here knows connection state: whether an option is
// allowed at this moment is decided in stack/mptcp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "stack/base/bytes.h"
#include "stack/wire/ip_address.h"

namespace braid::wire {

using MptcpKey = std::uint64_t;                 // in host order; network order on the wire
using JoinHmac = std::array<std::uint8_t, 20>;  // leftmost 160 bits of HMAC-SHA256

// Subtype 0 (3.1). Length 4: neither key; 12: sender_key; 20: both; 22/24: with data parameters.
struct MpCapable {
  std::uint8_t version = 1;
  bool checksum_required = false;  // A
  bool extensibility = false;      // B: must be 0 from us, ignored option when 1 (M28)
  bool deny_join_here = false;     // C: no joins to this address and port (M29)
  std::uint8_t crypto_bits = 1;    // D..H as a 5-bit number; H = 1 is HMAC-SHA256
  std::optional<MptcpKey> sender_key;
  std::optional<MptcpKey> receiver_key;
  std::optional<std::uint16_t> data_length;
  std::optional<std::uint16_t> checksum;
  bool operator==(const MpCapable&) const = default;
};

// Subtype 1 (3.2), three shapes.
struct MpJoinSyn {
  bool backup = false;
  std::uint8_t address_id = 0;
  std::uint32_t token = 0;
  std::uint32_t nonce = 0;
  bool operator==(const MpJoinSyn&) const = default;
};
struct MpJoinSynAck {
  bool backup = false;
  std::uint8_t address_id = 0;
  std::uint64_t truncated_hmac = 0;  // leftmost 64 bits
  std::uint32_t nonce = 0;
  bool operator==(const MpJoinSynAck&) const = default;
};
struct MpJoinAck {
  JoinHmac hmac{};
  bool operator==(const MpJoinAck&) const = default;
};

// Subtype 2 (3.3.1). data_length 0 is the infinite mapping.
struct Dss {
  struct Mapping {
    std::uint64_t data_sequence = 0;  // low 32 bits only when eight_byte_sequence is false
    bool eight_byte_sequence = true;
    std::uint32_t subflow_sequence = 0;  // relative: the SYN is 0
    std::uint16_t data_length = 0;       // includes the DATA_FIN's octet
    std::optional<std::uint16_t> checksum;
    bool operator==(const Mapping&) const = default;
  };
  bool data_fin = false;
  std::optional<std::uint64_t> data_ack;  // low 32 bits only when eight_byte_ack is false
  bool eight_byte_ack = false;
  std::optional<Mapping> mapping;
  bool operator==(const Dss&) const = default;
};

// Subtype 3 (3.4.1); with echo there is no HMAC.
struct AddAddr {
  bool echo = false;
  std::uint8_t address_id = 0;
  IpAddress address;
  std::optional<std::uint16_t> port;
  std::uint64_t truncated_hmac = 0;  // rightmost 64 bits; meaningless with echo
  bool operator==(const AddAddr&) const = default;
};

// Subtype 4 (3.4.2).
struct RemoveAddr {
  static constexpr std::size_t kMaxIds = 37;  // what 40 bytes of options hold
  std::uint8_t count = 1;
  std::array<std::uint8_t, kMaxIds> address_ids{};
  bool operator==(const RemoveAddr&) const = default;
};

struct MpPrio {  // subtype 5
  bool backup = false;
  bool operator==(const MpPrio&) const = default;
};
struct MpFail {  // subtype 6
  std::uint64_t data_sequence = 0;
  bool operator==(const MpFail&) const = default;
};
struct MpFastclose {  // subtype 7
  MptcpKey receiver_key = 0;
  bool operator==(const MpFastclose&) const = default;
};
enum class TcprstReason : std::uint8_t {  // M106
  kUnspecified = 0,
  kMptcpSpecific = 1,
  kLackOfResources = 2,
  kAdministrativelyProhibited = 3,
  kTooMuchOutstandingData = 4,
  kUnacceptablePerformance = 5,
  kMiddleboxInterference = 6,
};
struct MpTcprst {          // subtype 8
  bool transient = false;  // T
  TcprstReason reason = TcprstReason::kUnspecified;
  bool operator==(const MpTcprst&) const = default;
};

using MptcpOption = std::variant<MpCapable, MpJoinSyn, MpJoinSynAck, MpJoinAck, Dss, AddAddr,
                                 RemoveAddr, MpPrio, MpFail, MpFastclose, MpTcprst>;

// Reads one option; `bytes` is the whole option, kind and length included. Nothing for a wrong
// length, an unassigned subtype (M10) or a malformed field.
std::optional<MptcpOption> parse_mptcp_option(Bytes bytes);
// Wire length in bytes, unpadded.
std::size_t encoded_length(const MptcpOption& option);
// Writes encoded_length(option) bytes to `to`, which must be long enough. Returns that length.
std::size_t write_mptcp_option(const MptcpOption& option, MutableBytes to);

}  // namespace braid::wire
