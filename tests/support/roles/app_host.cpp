#include "tests/support/roles/app_host.h"

namespace braid::sim {

namespace {
constexpr std::uint64_t kAppBuffer = 256 * 1024;
constexpr std::size_t kHostMemory = 64U << 20;
}  // namespace

App::App(AppHost& host, AppScript script)
    : host_(host),
      script_(script),
      in_(host.pool(), kAppBuffer),
      out_(host.pool(), kAppBuffer),
      stream_(in_, out_, *this) {
  join(host.agenda());
  in_.set_reader(this);
  out_.set_writer(this);
}

void App::flush(Instant now) {
  if (stream_.is_established() && established_at_ == kNever) established_at_ = now;
  if (script_.reading == AppScript::Reading::kYes && intact_) {
    intact_ = drain(in_, Pattern(script_.expect_stream));
  }
  if (script_.reset_after && received() >= *script_.reset_after &&
      stream_.connection() != nullptr) {
    return reset(now);
  }
  fill(out_, Pattern(script_.send_stream), script_.send_bytes);
  const bool all_sent = out_.in_order().value() == script_.send_bytes;
  const bool may_finish = script_.finish == AppScript::Finish::kAfterSending ||
                          (script_.finish == AppScript::Finish::kAfterPeer && peer_ended());
  if (all_sent && may_finish && !out_.end()) out_.finish();
  if ((peer_ended() || stream_.close_reason()) && ended_at_ == kNever) ended_at_ = now;
}

void App::set_reading(AppScript::Reading reading) {
  script_.reading = reading;
  wake();
}

void App::send_more(std::uint64_t bytes) {
  script_.send_bytes += bytes;
  wake();
}

void App::reset(Instant now) {
  if (tcp::Connection* connection = stream_.connection()) connection->abort(now);
}

void AppHost::DoorExit::send(tcp::InterfaceId, const wire::Segment& segment) {
  door_.send(wire::make_packet(segment, identification_++));
}

AppHost::AppHost(std::uint64_t seed, wire::IpAddress ipv4, wire::IpAddress ipv6, SimDoor& door)
    : ipv4_(ipv4),
      ipv6_(ipv6),
      door_(door),
      random_(seed),
      pool_(kHostMemory),
      exit_(door),
      tcp_(random_) {}

AppHost::~AppHost() = default;

void AppHost::listen(std::uint16_t port, std::function<AppScript()> script) {
  listeners_[port] = std::move(script);
}

void AppHost::listen_crossing(std::uint16_t port, std::function<AppScript()> script) {
  listen(port, std::move(script));
  crossing_.insert(port);
}

void AppHost::listen_silently(std::uint16_t port) { listeners_[port] = nullptr; }

std::uint64_t AppHost::syns_seen(std::uint16_t port) const {
  const auto found = syns_seen_.find(port);
  return found == syns_seen_.end() ? 0 : found->second;
}

tcp::ConnectionConfig AppHost::config() const {
  tcp::ConnectionConfig config;
  config.mtu = door_.mtu();
  config.max_super_payload = door_.max_super_packet() > 100 ? door_.max_super_packet() - 100 : 0;
  config.controller = cc::make_controller(cc::Algorithm::kCubic, config.mtu);
  return config;
}

App& AppHost::connect(const wire::Endpoint& remote, AppScript script, Instant now,
                      std::optional<std::uint16_t> local_port) {
  const wire::IpAddress address = remote.address.is_v4() ? ipv4_ : ipv6_;
  const std::uint16_t port = local_port ? *local_port : next_port_++;
  App& app = *apps_.emplace_back(std::make_unique<App>(*this, script));
  begin(app, tcp_.connect({0, {address, port}, remote}, app.stream_, config(), now));
  return app;
}

void AppHost::new_syn(const wire::Segment& syn, Instant now) {
  ++syns_seen_[syn.destination.port];
  const auto listener = listeners_.find(syn.destination.port);
  if (listener == listeners_.end()) return tcp_.refuse(0, syn);
  if (!listener->second) return;
  App& app = *apps_.emplace_back(std::make_unique<App>(*this, listener->second()));
  if (crossing_.contains(syn.destination.port)) {
    begin(app, tcp_.connect({0, syn.destination, syn.source}, app.stream_, config(), now));
  } else {
    begin(app, tcp_.accept(0, syn, app.stream_, config(), now));
  }
}

void AppHost::begin(App& app, tcp::Connection& connection) {
  app.stream_.attach(connection);
  app.in_.set_reader(&app);
  app.out_.set_writer(&app);
  app.wake();
}

void AppHost::receive(int, const PacketIn& packet, Instant now) {
  if (vanished_) return;
  const ip::Input input = ip_.receive(0, packet, now);
  if (const auto* segment = std::get_if<wire::Segment>(&input)) {
    if (segment->destination.address != ipv4_ && segment->destination.address != ipv6_) return;
    if (tcp_.receive(0, *segment, now) == tcp::Layer::Received::kNewSyn) new_syn(*segment, now);
  } else if (const auto* error = std::get_if<wire::IcmpError>(&input)) {
    tcp_.receive_error(0, *error, now);
    for (const auto& app : apps_) {
      const tcp::Connection* connection = app->stream_.connection();
      if (connection != nullptr && connection->tuple().local == error->source &&
          connection->tuple().remote == error->destination) {
        app->icmp_error_ = *error;
      }
    }
  }
}

void AppHost::flush(Instant now) {
  if (vanished_) return;
  if (door_.ready()) tcp_.door_opened(0);
  for (int round = 0; round < 4; ++round) {
    while (Agenda::Entry* entry = agenda_.next(now)) static_cast<App*>(entry)->flush(now);
    tcp_.flush(now, exit_);
    if (!agenda_.has_ready()) break;
  }
  for (const ip::Outgoing& outgoing : ip_.flush(now)) door_.send(outgoing.packet);
}

Instant AppHost::next_deadline() {
  if (vanished_) return kNever;
  return std::min({agenda_.next_deadline(), tcp_.next_deadline(), ip_.next_deadline()});
}

}  // namespace braid::sim
