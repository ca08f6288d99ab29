// FastOpen: what TCP Fast Open (RFC 7413) needs beside the engine: the cookies we hand out as a
// server, the cookies we were given as a client, and the option on the SYNs that leave.
//
// The engine knows of a SYN with payload; it does not know of cookies. They are put on SYNs and
// SYN-ACKs at the door, and read from SYNs and SYN-ACKs as they arrive. A repeated SYN goes without
// cookie and without data (RFC 7413 4.1.3).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stack/tcp/tuple.h"
#include "stack/wire/segment.h"

namespace braid::pd {

using Cookie = wire::FewOf<std::uint8_t, 16>;
enum class CookieForm : std::uint8_t { kUsual, kExperimental };  // see experimental.h

// The bits of net.ipv4.tcp_fastopen.
enum FastOpenBit : std::uint32_t {
  kFastOpenClient = 0x1,
  kFastOpenServer = 0x2,
  kFastOpenClientNoCookie = 0x4,
  kFastOpenServerNoCookie = 0x200,
  kFastOpenEveryListener = 0x400,
};

// A key of 16 bytes, as the sysctl writes it ("xxxxxxxx-xxxxxxxx-xxxxxxxx-xxxxxxxx").
std::optional<std::vector<std::uint8_t>> parse_fast_open_key(const std::string& text);
std::string format_fast_open_key(const std::vector<std::uint8_t>& key);
// The cookie of a client, as Linux makes it: SipHash-2-4 of both addresses.
Cookie make_cookie(const std::vector<std::uint8_t>& key, const wire::IpAddress& client,
                   const wire::IpAddress& server);

// What a client remembers of servers (RFC 7413 4.1.3). One that grants no cookie is asked in the
// experimental form once, then in the usual one for ever.
class CookieCache {
 public:
  struct Entry {
    Cookie cookie;  // empty: none was granted
    std::optional<std::uint16_t> mss;
    CookieForm form = CookieForm::kUsual;  // of the cookie, or to ask for one in
    bool refused_both = false;
  };
  // Empty for a server nothing is known of.
  Entry find(const wire::IpAddress& server) const;
  void remember_mss(const wire::IpAddress& server, std::uint16_t mss);
  void remember_cookie(const wire::IpAddress& server, const Cookie& cookie, CookieForm form);
  void not_granted(const wire::IpAddress& server);
  void clear() { entries_.clear(); }

 private:
  std::map<wire::IpAddress, Entry> entries_;
};

// What our next SYN or SYN-ACK of a connection says about Fast Open.
class FastOpenDoor {
 public:
  // An empty cookie asks for one; no cookie at all: data without one (cookie-less Fast Open).
  void announce(const tcp::Tuple& tuple, std::optional<Cookie> cookie);
  bool announces(const tcp::Tuple& tuple) const { return announced_.contains(key_of(tuple)); }
  void forget(const tcp::Tuple& tuple) { announced_.erase(key_of(tuple)); }
  // Completes a SYN or SYN-ACK that is about to leave.
  void complete(const tcp::Tuple& tuple, wire::Segment& segment);

 private:
  using Key = std::pair<wire::Endpoint, wire::Endpoint>;
  static Key key_of(const tcp::Tuple& tuple) { return {tuple.local, tuple.remote}; }
  struct Announced {
    std::optional<Cookie> cookie;
    std::uint32_t syns = 0;  // that are no SYN-ACKs
  };
  std::map<Key, Announced> announced_;
};

}  // namespace braid::pd
