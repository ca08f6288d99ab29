#include "tests/interop/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace braid::interop {

namespace {

constexpr std::uint64_t kOutgoingCapacity = 1024 * 1024;
constexpr std::uint64_t kIncomingCapacity = 256 * 1024;
constexpr Duration kStepGrain = 2ms;  // how often a held step is looked at

mptcp::ConnectionConfig connection_config(const Options& options) {
  mptcp::ConnectionConfig out;
  if (options.checksum) out.checksums = mptcp::Checksums::kRequired;
  if (options.plain) out.negotiate = mptcp::ConnectionConfig::Negotiate::kPlainTcp;
  return out;
}

std::vector<std::uint8_t> read_file(const std::string& name) {
  if (name.empty()) return {};
  std::ifstream file(name, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string_view name_of(mptcp::Mode mode) {
  switch (mode) {
    case mptcp::Mode::kConnecting: return "connecting";
    case mptcp::Mode::kMptcp: return "mptcp";
    case mptcp::Mode::kFallback: return "fallback";
  }
  return "?";
}

}  // namespace

Exchange::Exchange(gateway::Host& host, StepHost& steps, const Options& options)
    : step_host_(steps),
      options_(options),
      outgoing_(host.pool(), kOutgoingCapacity),
      incoming_(host.pool(), kIncomingCapacity),
      connection_(host.mptcp(), outgoing_, incoming_, steps.joinable_paths(),
                  connection_config(options), *this),
      source_(read_file(options.send_file)) {
  if (!options.receive_file.empty()) {
    sink_.open(options.receive_file, std::ios::binary | std::ios::trunc);
    if (!sink_) throw std::runtime_error("cannot write " + options.receive_file);
  }
  join(host.agenda());
  outgoing_.set_writer(this);
  incoming_.set_reader(this);
}

void Exchange::connect(const mptcp::LocalPath& path, std::uint16_t local_port, Instant now) {
  sent_ = syn_data_ = std::min<std::uint64_t>(options_.syn_data, source_.size());
  connection_.connect(path, local_port, *options_.connect, Bytes(source_).first(syn_data_), now);
  wake();
}

void Exchange::accept(tcp::InterfaceId interface, const wire::Segment& syn,
                      const mptcp::LocalPath& path, Instant now) {
  connection_.accept(interface, syn, 0, path, now);
  connection_.answer(now);
  wake();
}

void Exchange::flush(Instant now) {
  run_steps(now);
  if (!holding_ && !done()) {
    receive();
    send();
    run_steps(now);
  }
  arm(holding_ && !done() ? now + kStepGrain : kNever);
}

void Exchange::run_steps(Instant now) {
  holding_ = false;
  while (next_step_ < options_.steps.size() && connection_.status().established && !done()) {
    const Step& step = options_.steps[next_step_];
    if (progress() < step.at) return;
    if (!run(step, now)) {
      holding_ = true;
      return;
    }
    ++next_step_;
    wake();
  }
}

bool Exchange::run(const Step& step, Instant now) {
  using Priority = mptcp::Connection::Priority;
  switch (step.what) {
    case Step::What::kBackup:
    case Step::What::kRegular:
      connection_.set_priority(
          step_host_.path(step.number).interface,
          step.what == Step::What::kBackup ? Priority::kBackup : Priority::kRegular, now);
      return true;
    case Step::What::kAnnounce: {
      // An address of ours has the id of its path; one that is none of ours an id beyond them.
      std::uint8_t id = 100;
      for (std::size_t i = 1; i <= options_.paths.size(); ++i) {
        if (step_host_.path(i).address == step.address) id = step_host_.path(i).address_id;
      }
      connection_.announce(id, {step.address, announced_port()}, now);
      return true;
    }
    case Step::What::kRemove:
      step_host_.remove_path(step.number);
      connection_.paths_changed(now);
      return true;
    case Step::What::kAwait: return established_subflows() >= step.number;
    case Step::What::kPause:
      if (paused_by_ != next_step_ + 1) {
        paused_by_ = next_step_ + 1;
        pause_ends_ = now + std::chrono::milliseconds(step.number);
      }
      return now >= pause_ends_;
    case Step::What::kMark:
      sample();
      carried_at_mark_ = carried_;
      return true;
    case Step::What::kAbort:
      aborted_ = true;
      connection_.abort(now);
      return true;
  }
  return true;
}

std::uint16_t Exchange::announced_port() const {
  return options_.connect ? options_.connect->port : options_.port;
}

void Exchange::send() {
  std::uint64_t limit = source_.size();
  if (next_step_ < options_.steps.size()) {
    const std::uint64_t mark = options_.steps[next_step_].at;
    limit = std::min(limit, mark > received_ ? mark - received_ : 0);
  }
  while (sent_ < limit) {
    constexpr std::uint64_t kPiece = 64 * 1024;
    const auto piece = Bytes(source_).subspan(sent_, std::min(kPiece, limit - sent_));
    const std::uint32_t taken = outgoing_.append(Slices(piece));
    sent_ += taken;
    if (taken < piece.size()) return;
  }
  if (sent_ == source_.size() && !outgoing_.end()) outgoing_.finish();
}

void Exchange::receive() {
  while (incoming_.readable() > 0) {
    const Slices bytes = incoming_.peek(incoming_.released(), 64 * 1024);
    for (const Bytes slice : bytes) {
      sink_.write(reinterpret_cast<const char*>(slice.data()),
                  static_cast<std::streamsize>(slice.size()));
    }
    received_ += bytes.size();
    incoming_.release(incoming_.released() + bytes.size());
  }
  if (incoming_.complete()) sink_.flush();
}

// Bytes the peer has acknowledged, and bytes it sent that have reached the file.
std::uint64_t Exchange::progress() const {
  return syn_data_ + outgoing_.released().value() + received_;
}

std::size_t Exchange::established_subflows() const {
  const auto all = connection_.subflows();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const auto& s) { return s.established; }));
}

void Exchange::sample() {
  for (const auto& subflow : connection_.subflows()) {
    Carried& carried = carried_[fmt::format("{}>{}", subflow.tuple.local.to_string(),
                                            subflow.tuple.remote.to_string())];
    carried = {subflow.counters.bytes_in, subflow.counters.bytes_out};
  }
  most_subflows_ = std::max(most_subflows_, established_subflows());
}

bool Exchange::went_well() const {
  if (!done() || next_step_ < options_.steps.size()) return false;
  if (aborted_) return true;
  return *connection_.status().closed == tcp::CloseReason::kFinished && sent_ == source_.size() &&
         incoming_.complete();
}

std::string Exchange::report() const {
  const mptcp::Status& status = connection_.status();
  const mptcp::Connection::Counters& counters = connection_.counters();
  std::string out = fmt::format(
      "mode={}\nclosed={}\nsent={}\nreceived={}\nsyn_refused={}\nsubflows={}\njoins={}\n"
      "joins_failed={}\nfallbacks={}\nchecksum_failures={}\nreinjected={}\nsteps_left={}\n",
      name_of(status.mode), status.closed ? tcp::to_string(*status.closed) : "open", sent_,
      received_, status.syn_payload_refused ? 1 : 0, most_subflows_, counters.joins,
      counters.joins_failed, counters.fallbacks, counters.checksum_failures,
      counters.reinjected_bytes, options_.steps.size() - next_step_);
  for (const auto& [ends, carried] : carried_) {
    const auto mark = carried_at_mark_.find(ends);
    const Carried before = mark != carried_at_mark_.end() ? mark->second : Carried{};
    out += fmt::format("subflow={} in={} out={} after_in={} after_out={}\n", ends, carried.in,
                       carried.out, carried.in - before.in, carried.out - before.out);
  }
  return out;
}

}  // namespace braid::interop
