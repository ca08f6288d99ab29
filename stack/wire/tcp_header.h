// The TCP header (RFC 9293 3.1): between its bytes and the fields of a Segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/wire/segment.h"

namespace braid::wire {

inline constexpr std::size_t kTcpHeaderBytes = 20;     // without options
inline constexpr std::size_t kTcpChecksumOffset = 16;  // from the header's start
inline constexpr std::size_t kMaxTcpHeaderBytes = kTcpHeaderBytes + kMaxTcpOptionBytes;

// Fills in ports, numbers, flags, window, urgent pointer and options; the addresses and what the IP
// header says stay as they are. Returns the header's length in bytes; nothing when it does not fit.
std::optional<std::size_t> read_tcp_header(Bytes tcp, Segment& segment);

// Bytes the header takes, options included.
std::size_t tcp_header_bytes(const Segment& segment);
// Writes the header with a zero checksum field. Returns its length.
std::size_t write_tcp_header(const Segment& segment, MutableBytes to);

}  // namespace braid::wire
