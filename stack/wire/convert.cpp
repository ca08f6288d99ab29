#include "stack/wire/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "stack/base/ensure.h"

namespace braid::wire {
namespace {

using Reason = ConvertMalformed::Reason;
using Buffer = std::vector<std::uint8_t>;

constexpr std::size_t kWord = 4;
constexpr std::size_t kConnectBytes = 20;  // the Base form
constexpr std::size_t kMaxTlvBytes = kMaxConvertBytes - kConvertHeaderBytes;

enum TlvType : std::uint8_t {
  kInfo = 1,
  kConnect = 10,
  kExtendedTcpHeader = 20,
  kSupportedExtensions = 21,
  kCookie = 22,
  kError = 30,
};

Buffer to_buffer(Bytes bytes) { return Buffer(bytes.begin(), bytes.end()); }

// ---- Reading. Each takes a whole TLV, at least one word, and gives nothing for bad framing.

std::optional<ConvertTlv> parse_connect(Bytes tlv) {
  if (tlv.size() < kConnectBytes) return std::nullopt;
  ConvertConnect connect;
  connect.remote.port = load_be16(tlv.data() + 2);
  connect.remote.address = IpAddress::from_bytes(tlv.subspan(4, 16)).unmapped();
  Bytes rest = tlv.subspan(kConnectBytes);
  while (!rest.empty()) {
    const std::uint8_t kind = rest[0];
    if (kind <= 1) {  // padding, or options without a length that C41 ignores
      rest = rest.subspan(1);
      continue;
    }
    if (rest.size() < 2 || rest[1] < 2 || rest[1] > rest.size()) return std::nullopt;
    connect.options.push_back({kind, to_buffer(rest.subspan(2, rest[1] - 2U))});
    rest = rest.subspan(rest[1]);
  }
  return connect;
}

ConvertSupportedExtensions parse_supported(Bytes tlv) {
  ConvertSupportedExtensions out;
  std::copy_if(tlv.begin() + kWord, tlv.end(), std::back_inserter(out.kinds),
               [](std::uint8_t kind) { return kind != 0; });
  return out;
}

bool is_assigned(std::uint8_t type) {
  constexpr std::array kTypes = {kInfo,   kConnect, kExtendedTcpHeader, kSupportedExtensions,
                                 kCookie, kError};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

std::optional<ConvertTlv> parse_tlv(Bytes tlv) {
  switch (tlv[0]) {
    case kInfo:
      if (tlv.size() != kWord) return std::nullopt;
      return ConvertInfo();
    case kConnect: return parse_connect(tlv);
    case kExtendedTcpHeader: return ConvertExtendedTcpHeader{to_buffer(tlv.subspan(kWord))};
    case kSupportedExtensions: return parse_supported(tlv);
    case kCookie: return ConvertCookie{to_buffer(tlv.subspan(kWord))};
    default: return ConvertError{ConvertErrorCode{tlv[2]}, to_buffer(tlv.subspan(3))};
  }
}

// ---- Writing. Each appends a whole TLV; the length byte is filled in afterwards.

void put(Buffer& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void put_zeros(Buffer& out, std::size_t count) { out.insert(out.end(), count, 0); }

void put_tlv(Buffer& out, const ConvertInfo&) {
  out.push_back(kInfo);
  put_zeros(out, 3);
}

void put_tlv(Buffer& out, const ConvertConnect& connect) {
  out.push_back(kConnect);
  out.push_back(0);
  out.push_back(static_cast<std::uint8_t>(connect.remote.port >> 8));
  out.push_back(static_cast<std::uint8_t>(connect.remote.port));
  put(out, connect.remote.address.mapped().bytes());
  for (const ConvertTcpOption& option : connect.options) {
    ENSURE(option.kind > 1 && option.value.size() <= 253);
    out.push_back(option.kind);
    out.push_back(static_cast<std::uint8_t>(2 + option.value.size()));
    put(out, option.value);
  }
}

void put_opaque(Buffer& out, TlvType type, Bytes bytes) {
  out.push_back(type);
  put_zeros(out, 3);
  put(out, bytes);
}

void put_tlv(Buffer& out, const ConvertExtendedTcpHeader& header) {
  put_opaque(out, kExtendedTcpHeader, header.options);
}

void put_tlv(Buffer& out, const ConvertSupportedExtensions& supported) {
  put_opaque(out, kSupportedExtensions, supported.kinds);
}

void put_tlv(Buffer& out, const ConvertCookie& cookie) { put_opaque(out, kCookie, cookie.cookie); }

void put_tlv(Buffer& out, const ConvertError& error) {
  out.push_back(kError);
  out.push_back(0);
  out.push_back(static_cast<std::uint8_t>(error.code));
  put(out, error.value);
}

// ---- Describing

std::string hex(Bytes bytes) {
  std::string out;
  for (std::uint8_t byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

std::string describe_tlv(const ConvertInfo&) { return "Info"; }

std::string describe_tlv(const ConvertConnect& connect) {
  std::string out = "Connect " + connect.remote.to_string();
  for (const ConvertTcpOption& option : connect.options) {
    out += fmt::format(" <kind {}{}{}>", option.kind, option.value.empty() ? "" : " ",
                       hex(option.value));
  }
  return out;
}

std::string describe_tlv(const ConvertExtendedTcpHeader& header) {
  return "ExtendedTcpHeader " + hex(header.options);
}

std::string describe_tlv(const ConvertSupportedExtensions& supported) {
  std::string out = "SupportedExtensions";
  for (std::uint8_t kind : supported.kinds) out += fmt::format(" {}", kind);
  return out;
}

std::string describe_tlv(const ConvertCookie& cookie) { return "Cookie " + hex(cookie.cookie); }

std::string describe_tlv(const ConvertError& error) {
  return fmt::format("Error {} value {}", static_cast<int>(error.code), hex(error.value));
}

}  // namespace

ConvertError ConvertError::with_value(ConvertErrorCode code, std::uint8_t value) {
  return {code, {value}};
}

ConvertError ConvertError::with_list(ConvertErrorCode code, Bytes list) {
  ConvertError error{code, to_buffer(list)};
  while (error.value.size() % kWord != 1) error.value.push_back(0);
  return error;
}

ConvertError ConvertError::with_echo(ConvertErrorCode code, Bytes bytes) {
  const Bytes echo = bytes.first(std::min(bytes.size(), kMaxTlvBytes - kWord));
  ConvertError error{code, Buffer(1 + echo.size())};  // the zero byte leads
  std::copy(echo.begin(), echo.end(), error.value.begin() + 1);
  while (error.value.size() % kWord != 1) error.value.push_back(0);
  return error;
}

ConvertParseResult parse_convert(Bytes bytes) {
  if (bytes.size() < kConvertHeaderBytes) return ConvertNeedMore{};
  if (load_be16(bytes.data() + 2) != kConvertMagic) return ConvertMalformed{Reason::kBadMagic};
  if (bytes[0] != kConvertVersion) return ConvertMalformed{Reason::kUnsupportedVersion};
  const std::size_t length = bytes[1] * kWord;
  if (length == 0) return ConvertMalformed{Reason::kZeroLength};
  if (bytes.size() < length) return ConvertNeedMore{length};

  ConvertMessage message;
  message.length = length;
  Bytes rest = bytes.subspan(kConvertHeaderBytes, length - kConvertHeaderBytes);
  while (!rest.empty()) {
    const std::uint8_t type = rest[0];
    const std::size_t size = rest[1] * kWord;
    if (!is_assigned(type)) return ConvertMalformed{Reason::kUnsupportedTlv, type};
    if (size == 0 || size > rest.size()) return ConvertMalformed{Reason::kBadFraming, type};
    std::optional<ConvertTlv> tlv = parse_tlv(rest.first(size));
    if (!tlv) return ConvertMalformed{Reason::kBadFraming, type};
    for (const ConvertTlv& earlier : message.tlvs) {
      if (earlier.index() == tlv->index()) return ConvertMalformed{Reason::kDuplicateTlv, type};
    }
    message.tlvs.push_back(std::move(*tlv));
    rest = rest.subspan(size);
  }
  return message;
}

std::vector<std::uint8_t> write_convert(const ConvertMessage& message) {
  Buffer out = {kConvertVersion, 0, kConvertMagic >> 8, kConvertMagic & 0xff};
  for (const ConvertTlv& tlv : message.tlvs) {
    const std::size_t start = out.size();
    std::visit([&out](const auto& kind) { put_tlv(out, kind); }, tlv);
    put_zeros(out, (kWord - out.size() % kWord) % kWord);
    ENSURE(out.size() <= kMaxConvertBytes);
    out[start + 1] = static_cast<std::uint8_t>((out.size() - start) / kWord);
  }
  out[1] = static_cast<std::uint8_t>(out.size() / kWord);
  return out;
}

std::string describe(const ConvertMessage& message) {
  std::string out;
  for (const ConvertTlv& tlv : message.tlvs) {
    if (!out.empty()) out += ", ";
    out += std::visit([](const auto& kind) { return describe_tlv(kind); }, tlv);
  }
  return out.empty() ? "empty" : out;
}

}  // namespace braid::wire
