#include "tests/sim/random/verdict.h"

#include <fmt/format.h>

#include <algorithm>

namespace braid::sim {

namespace {

// TIME-WAIT, lingering subflows, retransmissions to hosts that are gone: all are over by then.
constexpr Duration kDrainTime = 6h;
// A SYN nobody answers is given up after three minutes (RFC 9293 MUST-23).
constexpr Duration kSynTime = 200s;

// By then every connection has begun, and the last noise has been answered.
constexpr Duration kAllStarted = 4s, kNoiseOver = 7s;

bool finished(const App& app) { return app.closed() == tcp::CloseReason::kFinished; }

// Closed, and a reader that pauses has read what had come by then.
bool over(const App& app) {
  return app.closed() && (!finished(app) || app.peer_ended() || !app.intact());
}

// Every byte and the end after them.
bool complete(const App& app, std::uint64_t bytes) {
  return app.received() == bytes && app.peer_ended() && finished(app);
}

std::optional<std::string> damage(const App& app, const AppScript& peer, const char* side) {
  if (!app.intact()) return fmt::format("{}: a wrong byte at {}", side, app.received());
  if (app.received() > peer.send_bytes) {
    return fmt::format("{}: {} bytes of {}", side, app.received(), peer.send_bytes);
  }
  if (app.peer_ended() && app.received() != peer.send_bytes) {
    return fmt::format("{}: a clean end after {} of {} bytes", side, app.received(),
                       peer.send_bytes);
  }
  return std::nullopt;
}

class Judge {
 public:
  explicit Judge(RandomWorld& net)
      : net_(net),
        plan_(net.plan()),
        excused_(plan_.connections.size()),
        fell_back_(plan_.connections.size()) {}

  // False as long as something that was owed to connection `i` has not come.
  bool is_done(std::size_t i) const {
    const ConnectionPlan& connection = plan_.connections[i];
    const App* client = net_.client_app(i);
    if (client == nullptr) return false;
    if (excused_[i]) return true;
    // Where a RST may be lost, whoever is idle may never learn of it, as on a direct path.
    if (connection.may_break() && !plan_.orderly_inside) return true;
    if (plan_.client_may_vanish()) return true;
    if (!over(*client)) return false;
    if (!connection.is_served() || connection.may_break()) return true;
    // Beside the one that served the client there may be others, of attempts given up by the
    // gateway, and the RST that told them so may have been lost.
    const auto servers = net_.server_apps(i);
    return std::any_of(servers.begin(), servers.end(),
                       [](const App* server) { return over(*server) && finished(*server); }) ||
           std::all_of(servers.begin(), servers.end(),
                       [](const App* server) { return over(*server); });
  }

  // A box that changes payload may have its way with a connection alone on its uplink: RFC 8684
  // M115 has it fall back and take the bytes as they are. Such a connection is reset and owed
  // nothing.
  void excuse_changed() {
    for (std::size_t i = 0; i < plan_.connections.size() && plan_.has_payload_changer(); ++i) {
      if (excused_[i]) continue;
      fell_back_[i] = fell_back_[i] || net_.has_fallen_back(i);
      App* client = net_.client_app(i);
      std::vector<App*> apps = net_.server_apps(i);
      if (client != nullptr) apps.push_back(client);
      const bool wrong =
          std::any_of(apps.begin(), apps.end(), [](const App* app) { return !app->intact(); });
      if (!wrong || !fell_back_[i]) continue;
      excused_[i] = true;
      client->reset(net_.world().now());
    }
  }

  bool all_done() const {
    for (std::size_t i = 0; i < plan_.connections.size(); ++i) {
      if (!is_done(i)) return false;
    }
    const auto& calls = net_.caller().calls();
    return calls.size() == plan_.calls.size() &&
           std::all_of(calls.begin(), calls.end(), [](const auto& call) { return call->over(); });
  }

  std::optional<std::string> integrity() const {
    for (std::size_t i = 0; i < plan_.connections.size(); ++i) {
      const ConnectionPlan& connection = plan_.connections[i];
      std::optional<std::string> what;
      if (excused_[i]) continue;
      if (const App* client = net_.client_app(i))
        what = damage(*client, connection.server, "client");
      for (const App* server : net_.server_apps(i)) {
        if (!what) what = damage(*server, connection.client, "server");
      }
      if (what) return fmt::format("connection {}: {}", i, *what);
    }
    return std::nullopt;
  }

  std::optional<std::string> success() const {
    for (std::size_t i = 0; i < plan_.connections.size(); ++i) {
      if (auto what = failure_of(i)) return fmt::format("connection {}: {}", i, *what);
    }
    std::uint64_t excuses = net_.concentrator().counters().replies_lacked_memory;
    for (const auto& call : net_.caller().calls()) {
      const auto what = call->failure();
      if (!what) continue;
      // A pool that others have used up serves nobody new (DESIGN 1), once for each such reply.
      if (!call->turned_away() || excuses == 0) return what;
      --excuses;
    }
    return net_.missing_echoes();
  }

 private:
  std::optional<std::string> failure_of(std::size_t i) const {
    const ConnectionPlan& connection = plan_.connections[i];
    if (plan_.client_may_vanish() || excused_[i]) return std::nullopt;
    if (plan_.has_payload_changer() && fell_back_[i]) return std::nullopt;
    const Instant established = net_.client_app(i)->established_at();
    if (net_.may_be_cut_off(connection, established)) return std::nullopt;
    if (!is_done(i)) return "not done";
    if (connection.may_break()) return std::nullopt;
    const App& client = *net_.client_app(i);
    const std::string reason(tcp::to_string(*client.closed()));
    switch (connection.port) {
      case ConnectionPlan::Server::kRefuses:
        if (client.closed() == tcp::CloseReason::kRefused && !client.established()) {
          return std::nullopt;
        }
        return "not refused but " + reason;
      case ConnectionPlan::Server::kSilent:
        if (client.closed() == tcp::CloseReason::kTimedOut && !client.established()) {
          return std::nullopt;
        }
        return "no timeout but " + reason;
      case ConnectionPlan::Server::kUnreachable: return failure_of_unreachable(connection, client);
      case ConnectionPlan::Server::kListens:
      case ConnectionPlan::Server::kCrosses: break;
    }
    if (!complete(client, connection.server.send_bytes)) return "client ended " + reason;
    const auto servers = net_.server_apps(i);
    const bool served = std::any_of(servers.begin(), servers.end(), [&](const App* server) {
      return complete(*server, connection.client.send_bytes);
    });
    if (!served) return "no server app got everything";
    return std::nullopt;
  }

  // The truth of the far end reaches the client: an error that ends it is told as such, and one
  // that does not end it was heard before it gave up.
  std::optional<std::string> failure_of_unreachable(const ConnectionPlan& connection,
                                                    const App& client) const {
    const bool ends = connection.unreachable == IcmpAbout::kPortUnreachable ||
                      connection.unreachable == IcmpAbout::kProhibited;
    const auto reason = *client.closed();
    if (client.established()) return "reached the unreachable";
    if (reason != tcp::CloseReason::kUnreachable && reason != tcp::CloseReason::kTimedOut) {
      return "not unreachable but " + std::string(tcp::to_string(reason));
    }
    if (!plan_.orderly_inside) return std::nullopt;  // the error itself may be lost
    if (ends != (reason == tcp::CloseReason::kUnreachable)) return "not told what is so";
    return std::nullopt;
  }

  RandomWorld& net_;
  const Plan& plan_;
  std::vector<bool> excused_;
  std::vector<bool> fell_back_;
};

}  // namespace

Outcome run_world(RandomWorld& net, Duration patience) {
  Outcome outcome;
  World& world = net.world();
  Judge judge(net);
  const bool waits_for_syns =
      std::any_of(net.plan().connections.begin(), net.plan().connections.end(), [](const auto& c) {
        return c.port == ConnectionPlan::Server::kSilent ||
               c.port == ConnectionPlan::Server::kUnreachable;
      });
  const Duration limit = net.plan().settled + std::max(patience, waits_for_syns ? kSynTime : 0s);
  const Duration least = net.plan().noise.empty() ? kAllStarted : kNoiseOver;
  bool drained = false;
  try {
    const auto done = [&] {
      judge.excuse_changed();
      return world.now() > Instant() + least && judge.all_done();
    };
    world.run_until(done, limit);
    outcome.finished = world.now() - Instant();
    outcome.failure = judge.integrity();
    if (!outcome.failure && net.took_window_back()) {
      outcome.failure = "a promised right edge moved left";
    }
    if (!outcome.failure) outcome.failure = judge.success();
    if (!outcome.failure) {
      drained = world.run_until([&] { return net.is_drained(); }, kDrainTime);
      outcome.failure = judge.integrity();
      if (!outcome.failure && !drained && !net.is_drained())
        outcome.failure = "left: " + net.remains();
    }
  } catch (const std::exception& error) {
    outcome.failure = error.what();
  }
  outcome.drained = world.now() - Instant();
  outcome.trace_hash = world.trace_hash();
  outcome.steps = world.steps();
  return outcome;
}

std::string describe_connections(RandomWorld& net) {
  std::string text;
  const auto state = [](const App* app) {
    if (app == nullptr) return std::string("not started");
    return fmt::format("{}/{} received{}{}, {}", app->received(),
                       app->established() ? "open" : "not open", app->peer_ended() ? " +end" : "",
                       app->intact() ? "" : " WRONG",
                       app->closed() ? tcp::to_string(*app->closed()) : "alive");
  };
  for (std::size_t i = 0; i < net.plan().connections.size(); ++i) {
    text += fmt::format("  connection {}: client {}", i, state(net.client_app(i)));
    for (const App* server : net.server_apps(i)) text += fmt::format("; server {}", state(server));
    text += '\n';
  }
  return text + "  " + net.remains() + '\n';
}

}  // namespace braid::sim
