// Session: one converted connection at the concentrator (RFC 8803 4.2): a client's MPTCP (or TCP)
// connection on one side, ours to the server on the other.
//
//   client <-- bundle_ (mptcp::Connection) --> up_, down_ <-- server_ (PipeStream) --> server
//
//   connecting --server accepts: reply, SYN-ACK--> relaying --one leg breaks--> ending --> done
//       \--server refuses, cannot be reached: Error TLV--> refusing --client resets, or 10 s--^
//
// The reply goes into `down_` before the SYN-ACK is let go, so both leave back to back (DESIGN 6).
// The client's SYN timer drives the server's: a server SYN is repeated when the client's was (C55).
#pragma once

#include <cstdint>
#include <vector>

#include "gateway/config.h"
#include "gateway/host.h"
#include "stack/base/pipe.h"
#include "stack/convert/server.h"
#include "stack/mptcp/connection.h"
#include "stack/tcp/pipe_stream.h"

namespace braid::gateway {

class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  virtual Host& host() = 0;
  virtual const ConcentratorConfig& config() const = 0;
  // Another address of ours that clients may join, announced on every session; may be none.
  virtual const std::vector<mptcp::LocalPath>& listen_paths() const = 0;
  // A free inside endpoint for a connection to this server.
  virtual std::optional<wire::Endpoint> allocate_inside(const wire::Endpoint& server) = 0;
  // The session no longer waits for its server: it was accepted, refused, or given up.
  virtual void server_settled(const wire::IpAddress& client) = 0;
  // There was no memory for a session's reply to its client.
  virtual void reply_lacked_memory() = 0;
  virtual void session_done(std::uint64_t id) = 0;
};

class Session final : public Activity {
 public:
  // Takes the client's SYN, whose payload begins with `message_length` bytes of Convert message.
  Session(SessionOwner& owner, std::uint64_t id, tcp::InterfaceId interface,
          const wire::Segment& syn, std::uint32_t message_length, const mptcp::LocalPath& path,
          Instant now);

  // Exactly one of the two follows: a server to connect to, or the answer right away.
  void connect(const convert::ConnectRequest& request, Instant now);
  void reply_and_close(const std::vector<std::uint8_t>& reply, Instant now);

  void flush(Instant now) override;
  void reconfigured();  // the owner's configuration differs from now on

  enum class State : std::uint8_t { kConnecting, kRelaying, kRefusing, kEnding, kDone };
  State state() const { return state_; }
  const wire::IpAddress& client() const { return client_; }
  const wire::Endpoint& server() const { return request_.target; }
  const mptcp::Connection& bundle() const { return bundle_; }

 private:
  // Our end of the server's connection. The reply leads `down`, and the server's first bytes may
  // come with what establishes the connection, so it is written at that moment and not at the next
  // flush.
  class ServerEnd final : public tcp::PipeStream {
   public:
    explicit ServerEnd(Session& session)
        : PipeStream(session.down_, session.up_, session), session_(session) {}
    tcp::Verdict established(const wire::Segment& segment, std::uint32_t syn_bytes_acked,
                             Instant now) override;

   private:
    Session& session_;
  };

  tcp::Verdict write_reply();
  void leave_connecting(State next);
  void flush_connecting(Instant now);
  void server_accepted(Instant now);
  wire::TcpOptions server_options() const;
  void server_failed(Instant now);
  void flush_relaying(Instant now);
  void end_both(Instant now);
  void flush_ending();

  SessionOwner& owner_;
  std::uint64_t id_;
  wire::IpAddress client_;
  wire::IpAddress local_;  // ours that the client chose
  convert::ConnectRequest request_;
  Pipe up_;
  Pipe down_;
  mptcp::Connection bundle_;
  ServerEnd server_leg_;
  std::uint32_t syn_repeats_ = 0;
  State state_ = State::kConnecting;
  Instant refused_at_;
  enum class ServerLeg : std::uint8_t { kNone, kOpened } server_leg_state_ = ServerLeg::kNone;
};

}  // namespace braid::gateway
