// Stream: the connection under a socket, TCP or MPTCP, as two pipes and a few facts.
#pragma once

#include <memory>
#include <optional>

#include "stack/base/pipe.h"
#include "stack/mptcp/connection.h"
#include "stack/mptcp/layer.h"
#include "stack/tcp/pipe_stream.h"
#include "tests/packetdrill/shim/settings.h"

namespace braid::pd {

// What both kinds need to begin.
struct StreamSetup {
  Settings settings;
  std::uint64_t receive_buffer = 0, send_buffer = 0;  // bytes of stream
  std::uint64_t largest_receive_buffer = 0;           // it may grow up to this
  std::uint32_t mtu = 1500;
  std::uint32_t syn_retries = 6;
  bool early_data = false;  // passive: Fast Open accepted the SYN's data
  std::string congestion_control = "cubic";
  mptcp::LocalPaths* paths = nullptr;
  std::uint32_t subflow_limit = 2;
};

class Stream {
 public:
  Stream(ChunkPool& pool, const StreamSetup& setup)
      : incoming(pool, setup.receive_buffer), outgoing(pool, setup.send_buffer) {
    outgoing.set_max_capacity(setup.send_buffer);
  }
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  virtual bool established() const = 0;
  virtual std::optional<tcp::CloseReason> closed() const = 0;
  // The (first) TCP connection, while there is one.
  virtual tcp::Connection* tcp() const = 0;
  virtual void abort(Instant now) = 0;
  // As abort(), and the peer is not told.
  virtual void abandon(Instant now) { abort(now); }
  // The reader took bytes, the writer put some.
  virtual void touched() = 0;
  // Nothing will be said any more; the object may go.
  virtual bool over() const = 0;
  virtual mptcp::Connection* mptcp() { return nullptr; }

  Pipe incoming;
  Pipe outgoing;
};

class TcpStream final : public Stream {
 public:
  TcpStream(ChunkPool& pool, const StreamSetup& setup);
  ~TcpStream() override;

  void connect(tcp::Layer& layer, const tcp::Tuple& tuple, std::uint32_t syn_payload, Instant now);
  void accept(tcp::Layer& layer, const wire::Segment& syn, Instant now);

  bool established() const override { return user_.is_established(); }
  std::optional<tcp::CloseReason> closed() const override { return user_.close_reason(); }
  tcp::Connection* tcp() const override { return user_.connection(); }
  void abort(Instant now) override;
  void abandon(Instant now) override;
  void touched() override;
  bool over() const override { return user_.close_reason().has_value(); }

 private:
  tcp::ConnectionConfig config() const;
  StreamSetup setup_;
  Agenda::Entry owner_;  // of no agenda: the host looks at everything after each step
  tcp::PipeStream user_;
};

class MptcpStream final : public Stream {
 public:
  MptcpStream(ChunkPool& pool, mptcp::Layer& layer, const StreamSetup& setup);

  void connect(const mptcp::LocalPath& path, std::uint16_t port, const wire::Endpoint& remote,
               Bytes syn_payload, Instant now);
  void accept(const wire::Segment& syn, const mptcp::LocalPath& path, Instant now);

  bool established() const override { return connection_.status().established; }
  std::optional<tcp::CloseReason> closed() const override { return connection_.status().closed; }
  tcp::Connection* tcp() const override;
  void abort(Instant now) override { connection_.abort(now); }
  void touched() override;
  bool over() const override { return connection_.status().closed.has_value(); }
  mptcp::Connection* mptcp() override { return &connection_; }

 private:
  tcp::Layer& tcp_;
  tcp::Tuple first_;
  Agenda::Entry owner_;
  mptcp::Connection connection_;
};

}  // namespace braid::pd
