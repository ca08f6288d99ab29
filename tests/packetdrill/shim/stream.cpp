#include "tests/packetdrill/shim/stream.h"

#include <algorithm>
#include <functional>
#include <list>
#include <utility>

#include "stack/cc/coupled_group.h"
#include "stack/cc/factory.h"

namespace braid::pd {
namespace {

// Scripts are written for a host without a pacing queue: what the window allows leaves at once. And
// for one whose window does not grow on ACKs that only SACK, as limited transmit has it (RFC
// 5681 3.2); the stack's does, for the sake of paths that reorder.
class Unpaced final : public cc::Controller {
 public:
  enum class Idle : std::uint8_t { kKeepsWindow, kShrinksWindow };  // tcp_slow_start_after_idle
  // `acknowledged`: bytes of this connection that are, cumulatively.
  Unpaced(std::unique_ptr<cc::Controller> inner, Idle idle,
          std::function<std::uint64_t()> acknowledged)
      : inner_(std::move(inner)), idle_(idle), acknowledged_(std::move(acknowledged)) {}
  void set_mss(std::uint32_t mss) override { inner_->set_mss(mss); }
  void on_ack(const cc::Ack& ack) override {
    const std::uint64_t before = std::exchange(seen_, acknowledged_());
    cc::Ack told = ack;
    told.cwnd_limited = ack.cwnd_limited && seen_ != before;
    inner_->on_ack(told);
  }
  void on_loss(const cc::Loss& loss) override { inner_->on_loss(loss); }
  void on_congestion(const cc::Congestion& event) override { inner_->on_congestion(event); }
  void on_timeout(const cc::Congestion& event) override { inner_->on_timeout(event); }
  void undo() override { inner_->undo(); }
  void on_idle(Duration idle, Duration rto) override {
    if (idle_ == Idle::kShrinksWindow) inner_->on_idle(idle, rto);
  }
  std::uint64_t cwnd() const override { return inner_->cwnd(); }
  std::uint64_t ssthresh() const override { return inner_->ssthresh(); }
  Rate pacing_rate(Duration) const override { return Rate(); }
  cc::RecoveryPace recovery_pace() const override { return inner_->recovery_pace(); }
  std::string_view name() const override { return inner_->name(); }

 private:
  std::unique_ptr<cc::Controller> inner_;
  Idle idle_;
  std::function<std::uint64_t()> acknowledged_;
  std::uint64_t seen_ = 0;
};

cc::Algorithm algorithm_of(const std::string& name) {
  return cc::algorithm_by_name(name).value_or(cc::Algorithm::kCubic);
}

mptcp::Habits kernel_habits(const Settings& settings) {
  using mptcp::Habits;
  return {.subflow_fins = Habits::SubflowFins::kWithDataAck,
          .data_fin_told = Habits::DataFinTold::kOnEverySubflow,
          .sequence_width = Habits::SequenceWidth::kLong,
          .ack_delay = tcp::ConnectionConfig::AckDelay::kFixed,
          .syns_with_capable = static_cast<std::uint8_t>(1 + settings.mptcp_syn_retries),
          .linear_syn_timeouts = static_cast<std::uint8_t>(settings.syn_linear_timeouts),
          .peer_ack_delay = 200ms,
          .join_impatience = 1min,  // its SYN has TCP's own timer only
          .third_ack_pace = Habits::ThirdAckPace::kSteady,
          .data_ack_timeout = 200ms};
}

// Connections outlive their sockets, so their habits live as long as the library.
const mptcp::Habits* shared(const mptcp::Habits& habits) {
  static std::list<mptcp::Habits> all;
  const auto known = std::find(all.begin(), all.end(), habits);
  return known != all.end() ? &*known : &all.emplace_back(habits);
}

mptcp::ConnectionConfig mptcp_config(const StreamSetup& setup) {
  mptcp::ConnectionConfig out;
  out.algorithm = algorithm_of(setup.congestion_control);
  out.checksums = setup.settings.mptcp_checksums ? mptcp::Checksums::kRequired
                                                 : mptcp::Checksums::kWhenPeerAsks;
  out.window_scale = window_scale_for(setup.settings.rmem_max);
  out.max_subflows = 1 + setup.subflow_limit;
  if (!setup.settings.mptcp_enabled) {
    out.negotiate = mptcp::ConnectionConfig::Negotiate::kPlainTcp;
  }
  if (setup.settings.mptcp_joins_denied) out.joins = mptcp::ConnectionConfig::Joins::kDenied;
  out.max_receive_buffer = setup.largest_receive_buffer;
  out.doubt_after = 0s;
  out.habits = shared(kernel_habits(setup.settings));
  out.timestamps = setup.settings.timestamps;
  out.sack = setup.settings.sack;
  out.ecn = setup.settings.ecn == 1;
  out.last_subflow_timeout = std::chrono::seconds(setup.settings.mptcp_close_timeout_s);
  return out;
}

}  // namespace

// ---- TCP

TcpStream::TcpStream(ChunkPool& pool, const StreamSetup& setup)
    : Stream(pool, setup), setup_(setup), user_(incoming, outgoing, owner_) {
  user_.set_max_capacity(setup.largest_receive_buffer);
}

TcpStream::~TcpStream() {
  if (user_.connection() != nullptr) user_.connection()->abandon(Instant());
}

tcp::ConnectionConfig TcpStream::config() const {
  tcp::ConnectionConfig out;
  out.controller = std::make_unique<Unpaced>(
      cc::make_controller(algorithm_of(setup_.congestion_control), setup_.mtu - 40,
                          std::make_shared<cc::CoupledGroup>()),
      setup_.settings.slow_start_after_idle ? Unpaced::Idle::kShrinksWindow
                                            : Unpaced::Idle::kKeepsWindow,
      [this] {
        const tcp::Connection* const connection = user_.connection();
        if (connection == nullptr) return std::uint64_t{0};
        return connection->counters().bytes_out - connection->outstanding().all;
      });
  out.mtu = setup_.mtu;
  out.max_super_payload = 0;
  out.window_scale =
      setup_.settings.window_scaling ? window_scale_for(setup_.settings.rmem_max) : 0;
  out.timestamps = setup_.settings.timestamps;
  out.sack = setup_.settings.sack;
  out.ecn = setup_.settings.ecn == 1;
  out.max_syn_retransmissions = setup_.syn_retries;
  out.soft_errors = tcp::ConnectionConfig::SoftErrors::kEndConnecting;
  return out;
}

void TcpStream::connect(tcp::Layer& layer, const tcp::Tuple& tuple, std::uint32_t syn_payload,
                        Instant now) {
  tcp::ConnectionConfig with = config();
  with.syn_payload = syn_payload;
  user_.attach(layer.connect(tuple, user_, std::move(with), now));
}

void TcpStream::accept(tcp::Layer& layer, const wire::Segment& syn, Instant now) {
  tcp::ConnectionConfig with = config();
  with.ecn = setup_.settings.ecn != 0;
  if (setup_.early_data) with.early_data = tcp::ConnectionConfig::EarlyData::kYes;
  user_.attach(layer.accept(0, syn, user_, std::move(with), now));
}

void TcpStream::abort(Instant now) {
  if (user_.connection() != nullptr) user_.connection()->abort(now);
}

void TcpStream::abandon(Instant now) {
  if (user_.connection() != nullptr) user_.connection()->abandon(now);
}

void TcpStream::touched() {
  if (user_.connection() == nullptr) return;
  user_.connection()->send_more();
  user_.connection()->window_changed();
}

// ---- MPTCP

MptcpStream::MptcpStream(ChunkPool& pool, mptcp::Layer& layer, const StreamSetup& setup)
    : Stream(pool, setup),
      tcp_(layer.tcp()),
      connection_(layer, outgoing, incoming, setup.paths, mptcp_config(setup), owner_) {}

void MptcpStream::connect(const mptcp::LocalPath& path, std::uint16_t port,
                          const wire::Endpoint& remote, Bytes syn_payload, Instant now) {
  first_ = {path.interface, {path.address, port}, remote};
  connection_.connect(path, port, remote, syn_payload, now);
}

void MptcpStream::accept(const wire::Segment& syn, const mptcp::LocalPath& path, Instant now) {
  first_ = tcp::tuple_of(0, syn);
  connection_.accept(0, syn, 0, path, now);
  connection_.answer(now);
}

tcp::Connection* MptcpStream::tcp() const { return tcp_.find(first_); }

void MptcpStream::touched() { connection_.wake(); }

}  // namespace braid::pd
