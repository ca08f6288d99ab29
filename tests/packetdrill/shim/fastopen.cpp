#include "tests/packetdrill/shim/fastopen.h"

#include <cstdio>

#include "stack/tcp/isn.h"

namespace braid::pd {
namespace {

std::uint64_t load_le64(const std::uint8_t* p) {
  return std::uint64_t{__builtin_bswap32(load_be32(p + 4))} << 32 | __builtin_bswap32(load_be32(p));
}

}  // namespace

std::optional<std::vector<std::uint8_t>> parse_fast_open_key(const std::string& text) {
  unsigned words[4];
  if (std::sscanf(text.c_str(), "%x-%x-%x-%x", &words[0], &words[1], &words[2], &words[3]) != 4) {
    return std::nullopt;
  }
  std::vector<std::uint8_t> key;
  for (const unsigned word : words) {
    for (int shift = 0; shift < 32; shift += 8)
      key.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  return key;
}

std::string format_fast_open_key(const std::vector<std::uint8_t>& key) {
  char text[40] = "";
  if (key.size() < 16) return text;
  unsigned words[4];
  for (std::size_t i = 0; i < 4; ++i) words[i] = __builtin_bswap32(load_be32(key.data() + 4 * i));
  std::snprintf(text, sizeof text, "%08x-%08x-%08x-%08x", words[0], words[1], words[2], words[3]);
  return text;
}

Cookie make_cookie(const std::vector<std::uint8_t>& key, const wire::IpAddress& client,
                   const wire::IpAddress& server) {
  std::vector<std::uint8_t> message(client.bytes().begin(), client.bytes().end());
  message.insert(message.end(), server.bytes().begin(), server.bytes().end());
  const tcp::SipKey sip{load_le64(key.data()), load_le64(key.data() + 8)};
  std::uint64_t hash = tcp::siphash(sip, message);
  Cookie cookie;
  for (int i = 0; i < 8; ++i, hash >>= 8) cookie.push_back(static_cast<std::uint8_t>(hash));
  return cookie;
}

CookieCache::Entry CookieCache::find(const wire::IpAddress& server) const {
  const auto found = entries_.find(server);
  return found == entries_.end() ? Entry() : found->second;
}

void CookieCache::remember_mss(const wire::IpAddress& server, std::uint16_t mss) {
  entries_[server].mss = mss;
}

void CookieCache::remember_cookie(const wire::IpAddress& server, const Cookie& cookie,
                                  CookieForm form) {
  Entry& entry = entries_[server];
  entry.cookie = cookie;
  entry.form = form;
}

void CookieCache::not_granted(const wire::IpAddress& server) {
  Entry& entry = entries_[server];
  if (!entry.cookie.empty() || entry.refused_both) return;
  entry.refused_both = entry.form == CookieForm::kExperimental;
  entry.form = entry.refused_both ? CookieForm::kUsual : CookieForm::kExperimental;
}

void FastOpenDoor::announce(const tcp::Tuple& tuple, std::optional<Cookie> cookie) {
  announced_[key_of(tuple)] = {std::move(cookie), 0};
}

void FastOpenDoor::complete(const tcp::Tuple& tuple, wire::Segment& segment) {
  const auto found = announced_.find(key_of(tuple));
  if (found == announced_.end()) return;
  Announced& said = found->second;
  if (segment.flags.ack) {  // a SYN-ACK grants its cookie every time; that of a client grants none
    if (said.syns == 0) segment.options.fast_open_cookie = said.cookie;
    return;
  }
  if (said.syns++ == 0) {
    segment.options.fast_open_cookie = said.cookie;
  } else {
    segment.payload = {};
  }
}

}  // namespace braid::pd
