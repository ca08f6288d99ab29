// Options: what the interop program is asked to do, from its command line.
//
//   mptcp_peer client --connect ADDRESS,PORT --path INTERFACE,ADDRESS[,backup] ... [more]
//   mptcp_peer listen --port PORT            --path INTERFACE,ADDRESS ...          [more]
//
//   --send FILE, --receive FILE   the two byte streams
//   --syn-data BYTES              so much of FILE rides in our SYN (client)
//   --checksum                    require DSS checksums
//   --plain                       no MPTCP
//   --connections N               how many to serve before it ends (listen)
//   --timeout SECONDS             of the whole run
//   --step BYTES:WHAT[:ARGUMENT]  once so many bytes were acknowledged to us and delivered by us,
//                                 in the order given:
//       backup:PATH, regular:PATH   MP_PRIO (paths count from 1)
//       announce:ADDRESS            ADD_ADDR
//       remove:PATH                 the path is gone: REMOVE_ADDR
//       await:N                     hold the bytes until there are N established subflows
//       pause:MILLISECONDS          hold the bytes so long
//       mark:0                      what subflows carry from here on is reported as after_...
//       abort                       end it at once
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/time.h"
#include "stack/wire/ip_address.h"

namespace braid::interop {

struct PathOption {
  std::string interface;
  wire::IpAddress address;
  bool backup = false;
};

struct Step {
  enum class What : std::uint8_t {
    kBackup,
    kRegular,
    kAnnounce,
    kRemove,
    kAwait,
    kPause,
    kMark,
    kAbort
  };
  std::uint64_t at = 0;  // bytes of both directions
  What what = What::kAbort;
  std::uint64_t number = 0;  // path, subflows or milliseconds
  wire::IpAddress address;   // of kAnnounce
};

struct Options {
  std::optional<wire::Endpoint> connect;  // else: listen
  std::uint16_t port = 0;
  std::vector<PathOption> paths;
  std::string send_file, receive_file;
  std::uint32_t syn_data = 0;  // bytes
  bool checksum = false;
  bool plain = false;
  std::uint32_t connections = 1;
  Duration timeout = 30s;
  std::vector<Step> steps;
};

// Throws std::runtime_error that says what is wrong.
Options parse_options(const std::vector<std::string>& words);

}  // namespace braid::interop
