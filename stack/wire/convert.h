// Convert messages (RFC 8803 section 6) as plain structs: a fixed header and TLVs in 32-bit words.
//
// A message leads a byte stream in each direction; Total Length says where it ends (C13-C17).
// Reading says *why* a message is refused, because client and converter must react differently
// (C18-C20). What a TLV means, and whether its address may be connected to, is decided in
// stack/convert.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/wire/ip_address.h"

namespace braid::wire {

inline constexpr std::uint8_t kConvertVersion = 1;
inline constexpr std::uint16_t kConvertMagic = 0x2263;
inline constexpr std::size_t kConvertHeaderBytes = 4;
inline constexpr std::size_t kMaxConvertBytes = 255 * 4;  // C16

// Type 1 (6.2.3): asks for the converter's ConvertSupportedExtensions.
struct ConvertInfo {
  bool operator==(const ConvertInfo&) const = default;
};

// A TCP option inside a Connect TLV; no value asks the converter to make its own (C27).
struct ConvertTcpOption {
  std::uint8_t kind = 0;            // neither 0 nor 1 (C25)
  std::vector<std::uint8_t> value;  // at most 253 bytes
  bool operator==(const ConvertTcpOption&) const = default;
};

// Type 10 (6.2.5). Base form without options, Extended form with some. An IPv4-mapped address on
// the wire is an IPv4 address here (C23); options of kind 0 and 1 are skipped when read (C41).
struct ConvertConnect {
  Endpoint remote;
  std::vector<ConvertTcpOption> options;
  bool operator==(const ConvertConnect&) const = default;
};

// Type 20 (6.2.6): the option area of the server's SYN+ACK, as it was. Read with parse_tcp_options.
struct ConvertExtendedTcpHeader {
  std::vector<std::uint8_t> options;  // written padded with zeros to 32 bits
  bool operator==(const ConvertExtendedTcpHeader&) const = default;
};

// Type 21 (6.2.4): option kinds the converter can put into its SYNs; zeros are padding.
struct ConvertSupportedExtensions {
  std::vector<std::uint8_t> kinds;
  bool operator==(const ConvertSupportedExtensions&) const = default;
};

// Type 22 (6.2.7). Written padded with zeros to 32 bits; use multiples of four.
struct ConvertCookie {
  std::vector<std::uint8_t> cookie;
  bool operator==(const ConvertCookie&) const = default;
};

enum class ConvertErrorCode : std::uint8_t {  // Table 2
  kUnsupportedVersion = 0,
  kMalformedMessage = 1,
  kUnsupportedMessage = 2,
  kMissingCookie = 3,
  kNotAuthorized = 32,
  kUnsupportedTcpOption = 33,
  kResourceExceeded = 64,
  kNetworkFailure = 65,
  kConnectionReset = 96,
  kDestinationUnreachable = 97,
};

// Type 30 (6.2.8). The value's first byte shares a word with the code; when read the value is never
// empty and 1, 5, 9... bytes long, padding included.
struct ConvertError {
  ConvertErrorCode code = ConvertErrorCode::kUnsupportedVersion;
  std::vector<std::uint8_t> value;

  // A single byte: seconds to wait (C39), an ICMP code (C40), or zero (C37, C40).
  static ConvertError with_value(ConvertErrorCode code, std::uint8_t value);
  // A list: versions (C34) or option kinds (C38). Empty is a single zero.
  static ConvertError with_list(ConvertErrorCode code, Bytes list);
  // A zero byte, then these: the offending message (C35) or a cookie (C36). Cut to what fits.
  static ConvertError with_echo(ConvertErrorCode code, Bytes bytes);

  std::uint8_t first() const { return value.empty() ? 0 : value.front(); }
  // The part of the value with_echo() filled.
  Bytes echo() const { return value.empty() ? Bytes() : Bytes(value).subspan(1); }
  bool operator==(const ConvertError&) const = default;
};

using ConvertTlv = std::variant<ConvertInfo, ConvertConnect, ConvertExtendedTcpHeader,
                                ConvertSupportedExtensions, ConvertCookie, ConvertError>;

struct ConvertMessage {
  std::vector<ConvertTlv> tlvs;  // in wire order, each kind at most once; may be empty
  std::size_t length = 0;        // bytes of the stream it took; set by parse_convert only

  template <typename T>
  const T* find() const {
    for (const ConvertTlv& tlv : tlvs)
      if (const T* found = std::get_if<T>(&tlv)) return found;
    return nullptr;
  }
  bool operator==(const ConvertMessage& other) const { return tlvs == other.tlvs; }
};

// The bytes so far are the beginning of a message.
struct ConvertNeedMore {
  std::optional<std::size_t> total_length;  // bytes from the stream's start, once the header is in
  bool operator==(const ConvertNeedMore&) const = default;
};

struct ConvertMalformed {
  enum class Reason : std::uint8_t {
    kBadMagic,            // not Convert at all (C12, C48)
    kUnsupportedVersion,  // converter: error 0 (C34)
    kZeroLength,          // reset (C16)
    kBadFraming,          // a TLV, or an option in it, leaves its frame (C49); converter: error 1
    kDuplicateTlv,        // client: reset; converter: error 1 (C18)
    kUnsupportedTlv,      // type 0 or unassigned; client: reset; converter: error 2 (C19)
  };
  Reason reason = Reason::kBadMagic;
  std::uint8_t tlv_type = 0;  // the offending TLV's, for the last three
  bool operator==(const ConvertMalformed&) const = default;
};

using ConvertParseResult = std::variant<ConvertMessage, ConvertNeedMore, ConvertMalformed>;

// Reads the message at the start of a stream. `bytes` may hold less (ConvertNeedMore) or more: what
// follows ConvertMessage::length is user data. The magic is judged before the version, both before
// the length. A version other than 1 is refused as soon as the header is in.
ConvertParseResult parse_convert(Bytes bytes);

// The bytes of a message, a multiple of four, at most kMaxConvertBytes (ENSUREd).
std::vector<std::uint8_t> write_convert(const ConvertMessage& message);

// "Connect 192.0.2.1:443 <kind 30>", "Error 97 value 1": for logs and failing tests.
std::string describe(const ConvertMessage& message);

}  // namespace braid::wire
