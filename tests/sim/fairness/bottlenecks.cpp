#include "tests/sim/fairness/bottlenecks.h"

#include <string>

namespace braid::sim {
namespace {

constexpr const char* kServer = "192.0.2.1";

// Addresses of a user's ways: 10.(user + 1).(way).2, each in a prefix of its own.
std::string prefix_of(std::size_t user, std::size_t way) {
  return "10." + std::to_string(user + 1) + "." + std::to_string(way) + ".";
}

struct Network {
  World world;
  std::vector<std::unique_ptr<Exchange>> exchanges;
  std::vector<HostId> exchange_ids;
  std::vector<LinkId> links;
  BulkHost server;
  std::vector<std::unique_ptr<BulkHost>> hosts;

  Network(std::uint64_t seed, const std::vector<Bottleneck>& bottlenecks)
      : world(seed), server(seed * 1000 + 1) {
    const HostId server_id = world.add_host();
    for (std::size_t b = 0; b < bottlenecks.size(); ++b) {
      const Bottleneck& bottleneck = bottlenecks[b];
      const LinkSettings towards{
          .rate = Rate::bits_per_second(static_cast<std::uint64_t>(bottleneck.mbit_per_s * 1e6)),
          .delay = bottleneck.delay,
          .queue_time = bottleneck.queue,
          .loss = bottleneck.loss};
      const LinkSettings back{.delay = bottleneck.delay};
      const HostId id = world.add_host();
      exchange_ids.push_back(id);
      exchanges.push_back(std::make_unique<Exchange>());
      const auto port = static_cast<int>(b);
      links.push_back(world.connect({id, 0}, {server_id, port}, towards, back));
      exchanges[b]->route("192.0.2.0/24", world.door({id, 0}));
      server.add_door(static_cast<tcp::InterfaceId>(b), world.door({server_id, port}),
                      *wire::IpAddress::parse(kServer));
      world.attach(id, *exchanges[b]);
    }
    world.attach(server_id, server);
    server.serve();
  }

  void add(std::uint64_t seed, std::size_t number, const User& user) {
    const HostId id = world.add_host();
    hosts.push_back(std::make_unique<BulkHost>(seed * 1000 + 10 + number));
    BulkHost& host = *hosts.back();
    std::vector<tcp::InterfaceId> interfaces;
    for (std::size_t w = 0; w < user.ways.size(); ++w) {
      const Way& way = user.ways[w];
      const int port = static_cast<int>(number * 8 + w + 1);  // at the exchange
      const std::string prefix = prefix_of(number, w);
      world.connect({id, static_cast<int>(w)}, {exchange_ids[way.bottleneck], port},
                    {.delay = way.delay});
      exchanges[way.bottleneck]->route((prefix + "0/24").c_str(),
                                       world.door({exchange_ids[way.bottleneck], port}));
      host.add_door(static_cast<tcp::InterfaceId>(w), world.door({id, static_cast<int>(w)}),
                    *wire::IpAddress::parse(prefix + "2"));
      interfaces.push_back(static_cast<tcp::InterfaceId>(w));
    }
    world.attach(id, host);
    world.after(user.starts, [this, &host, user, interfaces] {
      for (std::size_t i = 0; i < user.connections; ++i) {
        host.send_to(*wire::IpAddress::parse(kServer), user.kind, user.algorithm, interfaces,
                     world.now());
      }
    });
  }

  std::uint64_t received(std::size_t number) const {
    const auto address = *wire::IpAddress::parse(prefix_of(number, 0) + "2");
    return server.received_from(address);
  }
  std::uint64_t received(std::size_t number, std::size_t way) const {
    const auto address = *wire::IpAddress::parse(prefix_of(number, 0) + "2");
    const BulkFlow* flow = server.flow_from(address);
    if (flow == nullptr || flow->mptcp() == nullptr) return 0;
    const auto local = *wire::IpAddress::parse(prefix_of(number, way) + "2");
    std::uint64_t bytes = 0;
    for (const auto& subflow : flow->mptcp()->subflows()) {
      if (subflow.tuple.remote.address == local) bytes += subflow.counters.bytes_in;
    }
    return bytes;
  }
};

double mbit(std::uint64_t bytes, Duration time) {
  return static_cast<double>(bytes) * 8 / 1e6 / to_seconds(time);
}

}  // namespace

Shares run_users(std::uint64_t seed, const std::vector<Bottleneck>& bottlenecks,
                 const std::vector<User>& users, Duration warm_up, Duration measured) {
  Network network(seed, bottlenecks);
  for (std::size_t i = 0; i < users.size(); ++i) network.add(seed, i, users[i]);
  network.world.run_for(warm_up);
  std::vector<std::uint64_t> before;
  std::vector<std::vector<std::uint64_t>> before_by_way(users.size());
  for (std::size_t i = 0; i < users.size(); ++i) {
    before.push_back(network.received(i));
    for (std::size_t w = 0; w < users[i].ways.size(); ++w) {
      before_by_way[i].push_back(network.received(i, w));
    }
  }
  std::vector<LinkStats> stats;
  for (const LinkId link : network.links) {
    stats.push_back(network.world.model(link, Toward::kB).stats());
  }
  network.world.run_for(measured);

  Shares shares;
  shares.by_way.resize(users.size());
  for (std::size_t i = 0; i < users.size(); ++i) {
    shares.mbit_per_s.push_back(mbit(network.received(i) - before[i], measured));
    for (std::size_t w = 0; w < users[i].ways.size(); ++w) {
      shares.by_way[i].push_back(mbit(network.received(i, w) - before_by_way[i][w], measured));
    }
  }
  for (std::size_t b = 0; b < bottlenecks.size(); ++b) {
    const LinkStats now = network.world.model(network.links[b], Toward::kB).stats();
    const auto offered = static_cast<double>(now.offered_packets - stats[b].offered_packets);
    const auto dropped = static_cast<double>(now.dropped_queue + now.dropped_loss -
                                             stats[b].dropped_queue - stats[b].dropped_loss);
    shares.loss.push_back(offered > 0 ? dropped / offered : 0);
    shares.utilisation.push_back(mbit(now.delivered_bytes - stats[b].delivered_bytes, measured) /
                                 bottlenecks[b].mbit_per_s);
  }
  return shares;
}

double jain(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(values.size()) * squares) : 1;
}

}  // namespace braid::sim
