// Exchange: one connection of the interop program: a file out, a file in, and steps in between.
//
// Steps come in their order, each when so many bytes of both directions are through. What leaves is
// held back at a step's mark until the step is done, so that a step happens at a known place.
#pragma once

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "gateway/host.h"
#include "stack/base/pipe.h"
#include "stack/mptcp/connection.h"
#include "tests/interop/options.h"

namespace braid::interop {

// What a step needs of the host.
class StepHost {
 public:
  virtual ~StepHost() = default;
  virtual mptcp::LocalPath& path(std::size_t number) = 0;  // as on the command line, from 1
  virtual void remove_path(std::size_t number) = 0;
  virtual mptcp::LocalPaths* joinable_paths() = 0;  // nullptr: we do not join
};

class Exchange final : public gateway::Activity {
 public:
  // Throws std::runtime_error when a file cannot be opened.
  Exchange(gateway::Host& host, StepHost& steps, const Options& options);

  void connect(const mptcp::LocalPath& path, std::uint16_t local_port, Instant now);
  void accept(tcp::InterfaceId interface, const wire::Segment& syn, const mptcp::LocalPath& path,
              Instant now);
  void flush(Instant now) override;

  // Remembers what the subflows have carried; a closed one is no longer there to be asked.
  void sample();
  bool done() const { return connection_.status().closed.has_value(); }
  bool went_well() const;
  // key=value lines.
  std::string report() const;

 private:
  void run_steps(Instant now);
  // False: the step is not over yet.
  bool run(const Step& step, Instant now);
  void send();
  void receive();
  std::uint64_t progress() const;
  std::size_t established_subflows() const;
  std::uint16_t announced_port() const;

  StepHost& step_host_;
  const Options& options_;
  Pipe outgoing_;
  Pipe incoming_;
  mptcp::Connection connection_;
  std::vector<std::uint8_t> source_;
  std::uint64_t sent_ = 0;      // of source_, into the SYN or the pipe
  std::uint64_t syn_data_ = 0;  // of those, in the SYN
  std::ofstream sink_;
  std::uint64_t received_ = 0;
  std::size_t next_step_ = 0;
  std::uint64_t paused_by_ = 0;  // 1 + the step whose pause is running
  Instant pause_ends_{};
  bool holding_ = false;
  bool aborted_ = false;
  std::size_t most_subflows_ = 0;

  struct Carried {
    std::uint64_t in = 0, out = 0;  // bytes, as the subflow's TCP counts
  };
  std::map<std::string, Carried> carried_;
  std::map<std::string, Carried> carried_at_mark_;
};

}  // namespace braid::interop
