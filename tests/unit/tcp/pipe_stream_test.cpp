#include "stack/tcp/pipe_stream.h"

#include <doctest/doctest.h>

#include "tests/support/scripted_peer.h"

using namespace braid;
using namespace braid::test;
using namespace braid::tcp;

TEST_SUITE_BEGIN("tcp");

TEST_CASE("positions are counted from where this leg's bytes begin in each pipe") {
  PipeEnd end;
  end.stream.set_incoming_start(StreamOffset(0));
  end.stream.set_outgoing_start(StreamOffset(8));
  const auto head = stream_bytes(0, 8);
  end.outgoing.append(Slices(Bytes(head)));
  CHECK(end.stream.send_end() == 0);
  const auto body = stream_bytes(8, 20);
  end.outgoing.append(Slices(Bytes(body)));
  CHECK(end.stream.send_end() == 20);
  CHECK(end.stream.peek(5, 10).to_vector() == stream_bytes(13, 10));
  end.outgoing.release(StreamOffset(8));
  end.stream.acked(20, Instant(1s));
  CHECK(end.outgoing.released().value() == 28);
}

TEST_CASE("bytes ahead of the leg's beginning are not there to send") {
  PipeEnd end;
  end.stream.set_outgoing_start(StreamOffset(8));
  const auto head = stream_bytes(0, 5);
  end.outgoing.append(Slices(Bytes(head)));
  end.outgoing.finish();
  CHECK(end.stream.send_end() == 0);
  CHECK_FALSE(end.stream.send_finished());
}

TEST_CASE("what arrives is placed at its offset and what was not kept is not reported") {
  PipeEnd end(1000);
  end.stream.set_incoming_start(StreamOffset(100));
  const auto head = stream_bytes(0, 100);
  end.incoming.append(Slices(Bytes(head)));
  end.incoming.release(StreamOffset(100));
  const auto bytes = stream_bytes(0, 2000);
  CHECK(end.stream.place(0, Slices(Bytes(bytes)), Instant(1s)) == Interval{0, 1000});
  CHECK(end.incoming.in_order().value() == 1100);
  end.stream.peer_finished(1000, Instant(1s));
  CHECK(end.incoming.end() == StreamOffset(1100));
}

TEST_CASE("behind a closed gate there is nothing to send, not even the end") {
  ScriptedPeer peer;
  peer.end.stream.set_gate(PipeStream::Gate::kClosed);
  peer.establish();
  peer.end.offer(100, true);
  peer.flush();
  CHECK(peer.sent.empty());
  peer.end.stream.set_gate(PipeStream::Gate::kOpen);
  peer.flush();
  const auto data = peer.take();
  CHECK(data.bytes.size() == 100);
  CHECK(data.segment.flags.fin);
}

TEST_CASE("the owner is woken when the leg is established and when it is gone") {
  ScriptedPeer peer;
  Agenda agenda;
  peer.end.owner.join(agenda);
  peer.connect();
  CHECK_FALSE(peer.end.owner.is_ready());
  peer.receive(peer.syn_ack());
  CHECK(agenda.next(peer.now) == &peer.end.owner);
  CHECK(peer.end.stream.is_established());
  peer.receive(1, 1, {.rst = true});
  CHECK(agenda.next(peer.now) == &peer.end.owner);
  CHECK(peer.end.stream.connection() == nullptr);
  CHECK(peer.end.stream.close_reason() == CloseReason::kReset);
}

TEST_CASE("bytes appended by another machine wake the connection, which sends them") {
  ScriptedPeer peer;
  peer.establish();
  const auto bytes = stream_bytes(0, 10);
  peer.end.outgoing.append(Slices(Bytes(bytes)));
  CHECK(peer.layer.next_deadline() == Instant::min());
  peer.flush();
  CHECK(peer.take().bytes == bytes);
}

TEST_CASE("a fast reader behind a long path gets a larger buffer, a slow one does not") {
  for (const bool fast : {true, false}) {
    CAPTURE(fast);
    PipePair pair;
    pair.wire.delay = 50ms;
    REQUIRE(pair.establish());
    pair.run(
        [&] {
          pair.a.offer(8 << 20, false);
          return fast ? !pair.b.drain() : false;
        },
        5s);
    if (fast) {
      CHECK(pair.b.incoming.capacity() > 512 * 1024);
      CHECK(pair.b.incoming.capacity() <= WindowTuner::kDefaultMaximum);
    } else {
      CHECK(pair.b.incoming.capacity() == 64 * 1024);
      CHECK(pair.b.incoming.readable() >
            64 * 1024 - 256);  // full, but for what the scale may round
    }
  }
}

TEST_SUITE_END();
