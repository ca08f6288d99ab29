// Transfers between the client and the server of TwoUplinks, as most of its tests need them.
#pragma once

#include "tests/support/roles/two_uplinks.h"

namespace braid::sim {

inline constexpr std::uint64_t kUpload = 1;
inline constexpr std::uint64_t kDownload = 2;

// A server on port 80 that sends `bytes`, and a client that asks for them.
inline App& start_download(TwoUplinks& net, std::uint64_t bytes) {
  net.server->listen(80, [bytes] {
    return AppScript{.send_bytes = bytes, .send_stream = kDownload, .expect_stream = kUpload};
  });
  return net.client->connect(
      net.server_at(80), {.send_bytes = 100, .send_stream = kUpload, .expect_stream = kDownload},
      net.world.now());
}

// The same with the bytes in the other direction; the server answers with ten when it has them all.
inline App& start_upload(TwoUplinks& net, std::uint64_t bytes) {
  net.server->listen(80, [] {
    return AppScript{.send_bytes = 10,
                     .send_stream = kDownload,
                     .expect_stream = kUpload,
                     .finish = AppScript::Finish::kAfterPeer};
  });
  return net.client->connect(
      net.server_at(80), {.send_bytes = bytes, .send_stream = kUpload, .expect_stream = kDownload},
      net.world.now());
}

inline App& connect_to(TwoUplinks& net, const wire::Endpoint& remote) {
  return net.client->connect(
      remote, {.send_bytes = 100, .send_stream = kUpload, .expect_stream = kDownload},
      net.world.now());
}

inline bool is_whole(TwoUplinks& net, App& app, std::uint64_t bytes, Duration limit) {
  return net.world.run_until([&] { return app.peer_ended() || app.closed(); }, limit) &&
         app.peer_ended() && app.intact() && app.received() == bytes;
}

inline std::uint64_t carried_down(TwoUplinks& net, LinkId link) {
  return net.world.model(link, Toward::kA).stats().delivered_bytes;
}

}  // namespace braid::sim
