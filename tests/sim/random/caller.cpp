#include "tests/sim/random/caller.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/config.h"
#include "tests/support/roles/pattern.h"

namespace braid::sim {

namespace {

using Kind = CallPlan::Kind;
using Code = wire::ConvertErrorCode;
using Message = std::vector<std::uint8_t>;

constexpr std::size_t kMemory = 16U << 20;
constexpr std::uint64_t kBuffer = 128 * 1024;
// Who hears nothing for so long hangs up.
constexpr Duration kSilence = 5s;
// A server that is slow to answer, with its SYN or its reply lost now and then, or to be read.
constexpr Duration kPatience = 400s;

wire::IpAddress address(const char* text) { return *wire::IpAddress::parse(text); }

wire::IpAddress server_address(wire::Family family) {
  return address(family == wire::Family::kIpv4 ? "198.51.100.2" : "2001:db8:6::2");
}

wire::ConvertConnect to_server(const CallPlan& plan, std::uint16_t port) {
  return {.remote = {server_address(plan.family), port}, .options = {}};
}

Message one_tlv(wire::ConvertTlv tlv) {
  wire::ConvertMessage message;
  message.tlvs.push_back(std::move(tlv));
  return wire::write_convert(message);
}

Message changed(Message message, std::size_t at, std::uint8_t value) {
  message.at(at) = value;
  return message;
}

// The SYN's payload. Bytes 0 to 3: version, total length, magic; then TLVs of type, length, value.
Message request(const CallPlan& plan, std::uint16_t port) {
  wire::ConvertConnect connect = to_server(plan, port);
  const Message good = one_tlv(connect);
  switch (plan.kind) {
    case Kind::kConnect:
    case Kind::kRefusing:
    case Kind::kUnreachable:
    case Kind::kStranger:
    case Kind::kCount: return good;
    case Kind::kExtended:  // with an option that is the converter's own business, and padding
      connect.options = {
          {.kind = 4, .value = {}}, {.kind = 2, .value = {5, 180}}, {.kind = 8, .value = {}}};
      return one_tlv(connect);
    case Kind::kInfo: return one_tlv(wire::ConvertInfo{});
    case Kind::kVersion: return changed(good, 0, 2);
    case Kind::kUnknownTlv: return changed(good, 4, 99);
    case Kind::kTwice: {
      Message twice = good;
      twice.insert(twice.end(), good.begin() + wire::kConvertHeaderBytes, good.end());
      return changed(twice, 1, static_cast<std::uint8_t>(twice.size() / 4));
    }
    case Kind::kFraming: return changed(good, 5, plan.lingers ? 0 : 9);
    case Kind::kShort: return Message(good.begin(), good.end() - 4);
    case Kind::kZeroLength: return changed(good, 1, 0);
    case Kind::kMagic: return changed(good, 2, 0);
    case Kind::kNoRequest: return wire::write_convert({});
    case Kind::kCookie: return one_tlv(wire::ConvertCookie{{1, 2, 3, 4, 5, 6, 7, 8}});
    case Kind::kOption:
      connect.options = {{.kind = 4, .value = {}}, {.kind = 30, .value = {}}};
      return one_tlv(connect);
    case Kind::kOptionValue:
      connect.options = {{.kind = 8, .value = {0, 0, 0, 1, 0, 0, 0, 0}}};
      return one_tlv(connect);
    case Kind::kOwnTarget:
      connect.remote.address = address(plan.lingers ? "203.0.113.5" : "169.254.1.1");
      return one_tlv(connect);
    case Kind::kNoTarget:
      if (plan.lingers)
        connect.remote.port = 0;
      else
        connect.remote.address = address("224.0.0.1");
      return one_tlv(connect);
  }
  return good;
}

// The error a call of this kind must hear, if any.
std::optional<Code> error_due(Kind kind) {
  switch (kind) {
    case Kind::kVersion: return Code::kUnsupportedVersion;
    case Kind::kUnknownTlv: return Code::kUnsupportedMessage;
    case Kind::kTwice:
    case Kind::kFraming:
    case Kind::kNoRequest:
    case Kind::kCookie:
    case Kind::kNoTarget: return Code::kMalformedMessage;
    case Kind::kOption:
    case Kind::kOptionValue: return Code::kUnsupportedTcpOption;
    case Kind::kOwnTarget: return Code::kNotAuthorized;
    case Kind::kRefusing: return Code::kConnectionReset;
    case Kind::kUnreachable: return Code::kDestinationUnreachable;
    default: return std::nullopt;
  }
}

bool is_served(Kind kind) { return kind == Kind::kConnect || kind == Kind::kExtended; }

bool is_ignored(Kind kind) {
  return kind == Kind::kShort || kind == Kind::kMagic || kind == Kind::kStranger;
}

mptcp::ConnectionConfig connection_config(const CallPlan& plan) {
  mptcp::ConnectionConfig config;
  config.algorithm = cc::Algorithm::kReno;
  using Negotiate = mptcp::ConnectionConfig::Negotiate;
  config.negotiate = plan.mptcp ? Negotiate::kMptcp : Negotiate::kPlainTcp;
  return config;
}

}  // namespace

Call::Call(Caller& caller, const CallPlan& plan, std::uint16_t port)
    : caller_(caller),
      plan_(plan),
      port_(port),
      up_(caller.pool_, kBuffer),
      down_(caller.pool_, kBuffer),
      connection_(caller.mptcp_, up_, down_, nullptr, connection_config(plan), *this) {
  join(caller.agenda_);
  down_.set_reader(this);
  up_.set_writer(this);
}

void Call::start(Instant now) {
  const bool v4 = plan_.family == wire::Family::kIpv4;
  // 172.16.0.0/12 is not among those the concentrator allows.
  const wire::IpAddress own = plan_.kind == Kind::kStranger ? address("172.16.9.2")
                              : v4                          ? address("10.9.0.2")
                                                            : address("fd00:9::2");
  const wire::Endpoint concentrator{address(own.is_v4() ? "203.0.113.5" : "2001:db8:5::5"),
                                    gateway::kDefaultPort};
  deadline_ = now + (is_ignored(plan_.kind) ? kSilence : kPatience);
  arm(deadline_);
  connection_.connect({.interface = 0, .address = own}, caller_.next_port_++, concentrator,
                      request(plan_, port_), now);
}

void Call::flush(Instant now) {
  if (over_) return;
  if (heard_ == Heard::kNothing) listen(now);
  if (heard_ == Heard::kAccepted) relay();
  if (connection_.status().closed || now >= deadline_) conclude(now);
  if (!over_) arm(deadline_);
}

void Call::listen(Instant now) {
  const Message bytes = down_.peek(StreamOffset(), wire::kMaxConvertBytes).to_vector();
  const wire::ConvertParseResult result = wire::parse_convert(bytes);
  if (std::holds_alternative<wire::ConvertNeedMore>(result)) return;
  const auto* message = std::get_if<wire::ConvertMessage>(&result);
  if (message == nullptr) {
    heard_ = Heard::kNonsense;
    return conclude(now);
  }
  start_ = StreamOffset(message->length);
  down_.release(start_);
  options_shown_ = message->find<wire::ConvertExtendedTcpHeader>() != nullptr;
  if (const auto* error = message->find<wire::ConvertError>()) {
    heard_ = Heard::kError;
    error_ = *error;
  } else if (const auto* kinds = message->find<wire::ConvertSupportedExtensions>()) {
    heard_ = Heard::kInfo;
    supported_ = kinds->kinds;
  } else {
    heard_ = Heard::kAccepted;
    return;
  }
  if (!plan_.lingers) return conclude(now);
}

void Call::relay() {
  const Pattern expected(plan_.client.expect_stream);
  while (down_.readable() > 0 && intact_) {
    const std::uint64_t at = down_.released().value();
    const Message bytes = down_.peek(down_.released(), 65536).to_vector();
    for (std::size_t i = 0; i < bytes.size() && intact_; ++i) {
      intact_ = bytes[i] == expected.at(at - start_.value() + i);
    }
    down_.release(StreamOffset(at + bytes.size()));
  }
  fill(up_, Pattern(plan_.client.send_stream), plan_.client.send_bytes);
  if (up_.in_order().value() == plan_.client.send_bytes && !up_.end()) up_.finish();
}

void Call::conclude(Instant now) {
  over_ = true;
  if (!connection_.status().closed) connection_.abort(now);
}

bool Call::everything_came() const {
  return intact_ && down_.complete() && down_.readable() == 0 &&
         down_.released().value() == start_.value() + plan_.server.send_bytes &&
         connection_.status().closed == tcp::CloseReason::kFinished;
}

bool Call::turned_away() const {
  return heard_ == Heard::kNothing && connection_.status().closed.has_value();
}

std::optional<std::string> Call::failure() const {
  const auto said = fmt::format(
      "call of kind {}: heard {}{}, {}", static_cast<int>(plan_.kind), static_cast<int>(heard_),
      heard_ == Heard::kError ? fmt::format(" {}", static_cast<int>(error_.code)) : "",
      connection_.status().closed ? tcp::to_string(*connection_.status().closed) : "open");
  if (!over_) return said + ", not over";
  if (is_served(plan_.kind)) {
    const bool extended = plan_.kind == Kind::kExtended;
    if (heard_ == Heard::kAccepted && options_shown_ == extended && everything_came()) {
      return std::nullopt;
    }
  } else if (plan_.kind == Kind::kInfo) {
    const Message kinds = {4, 8};
    if (heard_ == Heard::kInfo && std::equal(kinds.begin(), kinds.end(), supported_.begin())) {
      return std::nullopt;
    }
  } else if (const auto due = error_due(plan_.kind)) {
    const Message asked = request(plan_, port_);
    const Bytes echo = error_.echo();
    // C24, C35: what was malformed or not understood comes back, cut to what fits.
    const bool echoes = *due == Code::kMalformedMessage || *due == Code::kUnsupportedMessage;
    if (heard_ == Heard::kError && error_.code == *due &&
        (!echoes ||
         (echo.size() >= asked.size() && std::equal(asked.begin(), asked.end(), echo.begin())))) {
      return std::nullopt;
    }
  } else if (plan_.kind == Kind::kZeroLength) {
    if (heard_ == Heard::kNothing && connection_.status().closed == tcp::CloseReason::kRefused) {
      return std::nullopt;
    }
  } else if (heard_ == Heard::kNothing) {
    return std::nullopt;
  }
  return said;
}

Caller::Caller(std::uint64_t seed, SimDoor& door)
    : random_(seed), pool_(kMemory), exit_(door), tcp_(random_), mptcp_(tcp_, random_) {}

Caller::~Caller() = default;

void Caller::call(const CallPlan& plan, std::uint16_t port, Instant now) {
  calls_.push_back(std::make_unique<Call>(*this, plan, port));
  calls_.back()->start(now);
}

void Caller::receive(int, const PacketIn& packet, Instant now) {
  const ip::Input input = ip_.receive(0, packet, now);
  if (const auto* segment = std::get_if<wire::Segment>(&input)) {
    if (tcp_.receive(0, *segment, now) == tcp::Layer::Received::kNewSyn) tcp_.refuse(0, *segment);
  } else if (const auto* error = std::get_if<wire::IcmpError>(&input)) {
    tcp_.receive_error(0, *error, now);
  }
}

void Caller::flush(Instant now) {
  for (int round = 0; round < 4; ++round) {
    while (Agenda::Entry* entry = agenda_.next(now)) static_cast<Call*>(entry)->flush(now);
    mptcp_.flush(now);
    tcp_.flush(now, exit_);
    if (!agenda_.has_ready() && !mptcp_.has_ready()) break;
  }
  ip_.flush(now);
}

Instant Caller::next_deadline() {
  return std::min(
      {agenda_.next_deadline(), mptcp_.next_deadline(), tcp_.next_deadline(), ip_.next_deadline()});
}

}  // namespace braid::sim
