#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/sim/packets.h"
#include "tests/support/sim/nat.h"
#include "tests/support/sim/resegmenters.h"
#include "tests/support/sim/tcp_boxes.h"

namespace braid::sim {
namespace {

struct Collector : Filter::Output {
  void emit(Toward toward, Packet packet) override {
    (toward == Toward::kA ? to_a : to_b).push_back(std::move(packet));
  }
  std::vector<Packet> to_a, to_b;
};

Collector through(Filter& filter, Packet packet, Toward toward = Toward::kB, Instant now = {}) {
  Collector out;
  filter.pass(std::move(packet), toward, now, out);
  return out;
}

PacketView view_of(Packet& packet) {
  auto view = PacketView::of(packet);
  REQUIRE(view);
  return *view;
}

const std::vector<std::uint8_t> kMptcpAndTimestamps{1, 1, 8,  10, 0, 0, 0, 1,    0, 0,
                                                    0, 2, 30, 4,  0, 1, 1, 0x01, 1, 1};

std::vector<std::uint8_t> kinds(Packet& packet) {
  std::vector<std::uint8_t> out;
  for_each_option(view_of(packet), [&](std::uint8_t kind, MutableBytes) { out.push_back(kind); });
  return out;
}

const wire::IpAddress kInside = *wire::IpAddress::parse("10.1.0.2");
const wire::IpAddress kServer = *wire::IpAddress::parse("203.0.113.5");
const wire::IpAddress kOutside = *wire::IpAddress::parse("192.0.2.1");

// The answer to a TCP packet: ends swapped.
Packet answer_to(Packet packet) {
  auto view = view_of(packet);
  const auto source = view.source();
  const std::uint16_t port = view.source_port();
  view.set_source(view.destination());
  view.set_source_port(view.destination_port());
  view.set_destination(source);
  view.set_destination_port(port);
  return packet;
}

}  // namespace

TEST_SUITE_BEGIN("sim");

TEST_CASE("an option stripper takes one kind of option and leaves a right packet") {
  for (const auto manner : {OptionStripper::Manner::kNops, OptionStripper::Manner::kRemoved}) {
    OptionStripper box({.manner = manner});
    const Packet in = tcp_packet({.options = kMptcpAndTimestamps}, Packet(100, 4));
    auto out = through(box, in);
    REQUIRE(out.to_b.size() == 1);
    CHECK(kinds(out.to_b[0]) == std::vector<std::uint8_t>{8});
    CHECK(view_of(out.to_b[0]).is_intact_tcp());
    CHECK(view_of(out.to_b[0]).tcp_payload().size() == 100);
    CHECK((out.to_b[0].size() < in.size()) == (manner == OptionStripper::Manner::kRemoved));
  }
}

TEST_CASE("an option stripper keeps to the segments it was told") {
  using From = OptionStripper::From;
  struct Row {
    From from;
    bool syn, syn_ack, later;
  };
  for (const Row row :
       {Row{From::kSyns, true, false, false}, Row{From::kSynAcks, false, true, false},
        Row{From::kAll, true, true, true}, Row{From::kLater, false, false, true}}) {
    OptionStripper box({.from = row.from});
    const auto stripped = [&](std::uint8_t flags) {
      auto out = through(box, tcp_packet({.flags = flags, .options = kMptcpAndTimestamps}, {}));
      return kinds(out.to_b.at(0)).size() == 1;
    };
    CHECK(stripped(kSyn) == row.syn);
    CHECK(stripped(kSyn | kAck) == row.syn_ack);
    CHECK(stripped(kAck) == row.later);
  }
  OptionStripper late({.from = From::kLater, .spared = 2});
  std::vector<std::size_t> left;
  for (int i = 0; i < 4; ++i) {
    auto out = through(late, tcp_packet({.options = kMptcpAndTimestamps}, {}));
    left.push_back(kinds(out.to_b.at(0)).size());
  }
  CHECK(left == std::vector<std::size_t>{2, 2, 1, 1});
}

TEST_CASE("a box never makes a damaged packet whole") {
  Packet damaged = tcp_packet({.options = kMptcpAndTimestamps}, Packet(3000, 4));
  damaged.back() ^= 1;
  OptionStripper stripper({});
  Splitter splitter(100, KeepOptions::kAll);
  SequenceShifter shifter{Random(1)};
  MssClamper clamper(100);
  PayloadChanger changer(Toward::kB, 0, 1);
  for (Filter* box :
       std::initializer_list<Filter*>{&stripper, &splitter, &shifter, &clamper, &changer}) {
    auto out = through(*box, damaged);
    REQUIRE(out.to_b.size() == 1);
    CHECK(out.to_b[0] == damaged);
  }
  Nat nat({.outside = kOutside});
  auto out = through(nat, damaged);
  CHECK(view_of(out.to_b.at(0)).source() == kOutside);
  CHECK_FALSE(view_of(out.to_b[0]).tcp_checksum_ok());
}

TEST_CASE("payload in a SYN is stripped, cut or its death, and elsewhere left alone") {
  const Packet payload(50, 9);
  using Manner = SynPayloadBox::Manner;
  for (const std::uint8_t flags : {kSyn, std::uint8_t(kSyn | kAck)}) {
    SynPayloadBox strip(Manner::kStrip), cut(Manner::kTruncate, 20), drop(Manner::kDropSyn);
    auto stripped = through(strip, tcp_packet({.flags = flags}, payload));
    CHECK(view_of(stripped.to_b.at(0)).tcp_payload().empty());
    CHECK(view_of(stripped.to_b[0]).is_intact_tcp());
    auto truncated = through(cut, tcp_packet({.flags = flags}, payload));
    CHECK(view_of(truncated.to_b.at(0)).tcp_payload().size() == 20);
    CHECK(through(drop, tcp_packet({.flags = flags}, payload)).to_b.empty());
    CHECK(through(drop, tcp_packet({.flags = flags}, {})).to_b.size() == 1);
  }
  SynPayloadBox strip(Manner::kStrip);
  CHECK(view_of(through(strip, tcp_packet({}, payload)).to_b.at(0)).tcp_payload().size() == 50);
}

TEST_CASE("the MSS is lowered in SYNs and never raised") {
  for (const std::uint16_t most : {std::uint16_t{1200}, std::uint16_t{1460}}) {
    MssClamper box(most);
    auto out = through(box, tcp_packet({.flags = kSyn, .options = {2, 4, 0x05, 0x78}}, {}));
    auto view = view_of(out.to_b.at(0));
    CHECK(load_be16(&view.tcp_options()[2]) == std::min<std::uint16_t>(most, 1400));
    CHECK(view.is_intact_tcp());
  }
}

TEST_CASE("an injected RST goes both ways, once, where it was aimed") {
  RstInjector box(2, RstInjector::Aim::kExact);
  CHECK(through(box, tcp_packet({.seq = 100}, Packet(10))).to_a.empty());
  CHECK(through(box, tcp_packet({.seq = 105}, {})).to_b.size() == 1);
  auto out = through(box, tcp_packet({.seq = 110, .ack = 900}, Packet(10)));
  REQUIRE(out.to_b.size() == 2);
  REQUIRE(out.to_a.size() == 1);
  auto onwards = view_of(out.to_b[1]);
  auto back = view_of(out.to_a[0]);
  CHECK((onwards.tcp_flags() & kRst) != 0);
  CHECK(onwards.seq() == 120);
  CHECK(onwards.is_intact_tcp());
  CHECK((back.tcp_flags() & kRst) != 0);
  CHECK(back.seq() == 900);
  CHECK(back.source() == kServer);
  CHECK(back.source_port() == 80);
  CHECK(back.is_intact_tcp());
  CHECK(through(box, tcp_packet({.seq = 120}, Packet(10))).to_b.size() == 1);
}

TEST_CASE("shifted sequence numbers fit together in both directions, SACK blocks too") {
  SequenceShifter box{Random(3)};
  auto there = through(box, tcp_packet({.seq = 1000, .ack = 5000}, Packet(10)));
  auto sent = view_of(there.to_b.at(0));
  CHECK(sent.seq() != 1000);
  // The peer acknowledges and SACKs in its own view of the numbers.
  std::vector<std::uint8_t> sack{1, 1, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0};
  store_be32(&sack[4], sent.seq() + 100);
  store_be32(&sack[8], sent.seq() + 200);
  Packet reply =
      answer_to(tcp_packet({.seq = sent.ack(), .ack = sent.seq() + 10, .options = sack}, {}));
  auto back = through(box, reply, Toward::kA);
  auto got = view_of(back.to_a.at(0));
  CHECK(got.ack() == 1010);
  CHECK(got.seq() == 5000);
  CHECK(load_be32(&got.tcp_options()[4]) == 1100);
  CHECK(load_be32(&got.tcp_options()[8]) == 1200);
  CHECK(got.is_intact_tcp());
}

TEST_CASE("a payload changer changes what it was told and TCP cannot see it") {
  PayloadChanger box(Toward::kB, 1, 1);
  const Packet packet = tcp_packet({}, Packet(10, 1));
  CHECK(through(box, packet).to_b.at(0) == packet);
  auto out = through(box, packet);
  CHECK(out.to_b.at(0) != packet);
  CHECK(view_of(out.to_b[0]).is_intact_tcp());
  CHECK(through(box, packet).to_b.at(0) == packet);
  CHECK(through(box, packet, Toward::kA).to_a.at(0) == packet);
}

TEST_CASE("a splitter cuts a segment into an unbroken run") {
  for (const auto keep : {KeepOptions::kFirst, KeepOptions::kAll}) {
    for (const bool v4 : {true, false}) {
      Splitter box(400, keep);
      auto out = through(
          box,
          tcp_packet(
              {.v4 = v4, .seq = 10, .flags = kAck | kPsh | kFin, .options = kMptcpAndTimestamps},
              Packet(1000, 6)));
      REQUIRE(out.to_b.size() == 3);
      std::uint32_t expected = 10;
      for (std::size_t i = 0; i < 3; ++i) {
        auto view = view_of(out.to_b[i]);
        CHECK(view.seq() == expected);
        expected += static_cast<std::uint32_t>(view.tcp_payload().size());
        CHECK(view.is_intact_tcp());
        CHECK(kinds(out.to_b[i]).empty() == (i > 0 && keep == KeepOptions::kFirst));
        CHECK(view.tcp_flags() == (i == 2 ? kAck | kPsh | kFin : kAck));
      }
      CHECK(expected == 1010);
    }
  }
}

TEST_CASE("a coalescer joins followers and does not hold the rest for long") {
  Coalescer box(1500, KeepOptions::kFirst, 1ms);
  Collector out;
  box.pass(tcp_packet({.seq = 0, .options = {1, 1, 1, 1}}, Packet(300, 1)), Toward::kB, {}, out);
  box.pass(tcp_packet({.seq = 300, .ack = 99}, Packet(300, 2)), Toward::kB, {}, out);
  CHECK(out.to_b.empty());
  box.pass(tcp_packet({.seq = 700}, Packet(300, 3)), Toward::kB, {}, out);  // a gap
  REQUIRE(out.to_b.size() == 1);
  auto joined = view_of(out.to_b[0]);
  CHECK(joined.seq() == 0);
  CHECK(joined.ack() == 99);
  CHECK(joined.tcp_payload().size() == 600);
  CHECK(joined.tcp_options().size() == 4);
  CHECK(joined.is_intact_tcp());
  CHECK(box.next_deadline() == Instant{} + 1ms);
  box.flush(Instant{} + 1ms, out);
  CHECK(out.to_b.size() == 2);
  CHECK(box.next_deadline() == kNever);
}

TEST_CASE("fragments hold the packet between them, forwards and backwards") {
  for (const bool v4 : {true, false}) {
    for (const auto order : {Fragmenter::Order::kForward, Fragmenter::Order::kBackward}) {
      Fragmenter box(600, order);
      Packet payload(1300);
      for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<std::uint8_t>(i * 7);
      const Packet whole = tcp_packet({.v4 = v4}, payload);
      auto out = through(box, whole);
      REQUIRE(out.to_b.size() == 3);
      if (order == Fragmenter::Order::kBackward) std::reverse(out.to_b.begin(), out.to_b.end());
      Packet joined(whole.begin(), whole.begin() + (v4 ? 20 : 40));
      for (std::size_t i = 0; i < 3; ++i) {
        Packet& piece = out.to_b[i];
        CHECK(piece.size() <= 600);
        CHECK(view_of(piece).is_fragment());
        const std::size_t header = v4 ? 20 : 48;
        const std::size_t offset =
            v4 ? (load_be16(&piece[6]) & 0x1fffU) * 8U : load_be16(&piece[42]) & 0xfff8U;
        const bool more = v4 ? (piece[6] & 0x20) != 0 : (piece[43] & 1) != 0;
        CHECK(offset == joined.size() - (v4 ? 20 : 40));
        CHECK(more == (i < 2));
        joined.insert(joined.end(), piece.begin() + static_cast<std::ptrdiff_t>(header),
                      piece.end());
      }
      CHECK(std::equal(joined.begin() + 40, joined.end(), whole.begin() + 40, whole.end()));
    }
  }
}

TEST_CASE("a narrow hop says what fits, or nothing at all") {
  const auto v6 = *wire::IpAddress::parse("fd00::99");
  NarrowHop honest(1400, kOutside, v6);
  NarrowHop silent(1400, std::nullopt, std::nullopt);
  for (const bool v4 : {true, false}) {
    const Packet large = tcp_packet({.v4 = v4}, Packet(1400));
    auto out = through(honest, large);
    CHECK(out.to_b.empty());
    REQUIRE(out.to_a.size() == 1);
    auto view = view_of(out.to_a[0]);
    CHECK(view.source() == (v4 ? kOutside : v6));
    CHECK(view.transport()[0] == (v4 ? 3 : 2));
    CHECK(load_be32(view.transport() + 4) == 1400);
    CHECK(std::equal(large.begin(), large.begin() + 100, view.transport() + 8));
    const std::uint64_t pseudo = v4 ? 0 : view.pseudo_sum(view.transport_length());
    CHECK(fold(add_words(pseudo, Bytes(view.transport(), view.transport_length()))) == 0xffff);
    auto nothing = through(silent, large);
    CHECK(nothing.to_a.size() + nothing.to_b.size() == 0);
    CHECK(through(honest, tcp_packet({.v4 = v4}, Packet(1000))).to_b.size() == 1);
  }
}

TEST_CASE("a NAT gives a flow one outside port and finds the way back") {
  Nat nat({.outside = kOutside, .first_port = 30000});
  auto out = through(nat, tcp_packet({}, Packet(10)));
  auto sent = view_of(out.to_b.at(0));
  CHECK(sent.source() == kOutside);
  CHECK(sent.source_port() == 30000);
  CHECK(sent.is_intact_tcp());
  auto back = through(nat, answer_to(out.to_b[0]), Toward::kA);
  auto got = view_of(back.to_a.at(0));
  CHECK(got.destination() == kInside);
  CHECK(got.destination_port() == 1000);
  CHECK(got.is_intact_tcp());
  auto again = through(nat, tcp_packet({}, Packet(20)));
  CHECK(view_of(again.to_b.at(0)).source_port() == 30000);
  auto other = through(nat, tcp_packet({.source_port = 1001}, {}));
  CHECK(view_of(other.to_b.at(0)).source_port() == 30001);
}

TEST_CASE("a NAT lets in only peers that were spoken to, while the mapping lives") {
  Nat nat({.outside = kOutside, .timeout = 60s});
  auto out = through(nat, tcp_packet({}, {}));
  const Packet answer = answer_to(out.to_b.at(0));
  Packet stranger = answer;
  view_of(stranger).set_source_port(81);
  CHECK(through(nat, stranger, Toward::kA).to_a.empty());
  CHECK(through(nat, answer, Toward::kA, Instant{} + 60s).to_a.size() == 1);
  CHECK(through(nat, answer, Toward::kA, Instant{} + 61s).to_a.empty());
  const std::uint16_t before = view_of(out.to_b[0]).source_port();
  auto later = through(nat, tcp_packet({}, {}), Toward::kB, Instant{} + 61s);
  CHECK(view_of(later.to_b.at(0)).source_port() != before);
}

TEST_CASE(
    "a NAT that forgets gives a running flow a new port and drops what comes to the old one") {
  Nat nat({.outside = kOutside});
  auto before = through(nat, tcp_packet({}, {}));
  nat.rebind();
  CHECK(through(nat, answer_to(before.to_b.at(0)), Toward::kA).to_a.empty());
  auto after = through(nat, tcp_packet({}, {}));
  CHECK(view_of(after.to_b.at(0)).source_port() != view_of(before.to_b[0]).source_port());
  CHECK(nat.mappings() == 1);
}

TEST_CASE("an ICMP error about a translated packet reaches the inside as about its own") {
  Nat nat({.outside = kOutside});
  NarrowHop hop(1000, kServer, std::nullopt);
  auto out = through(nat, tcp_packet({.seq = 4242}, Packet(1200)));
  auto error = through(hop, out.to_b.at(0));
  auto in = through(nat, error.to_a.at(0), Toward::kA);
  auto view = view_of(in.to_a.at(0));
  CHECK(view.destination() == kInside);
  const std::uint8_t* quoted = view.transport() + 8;
  CHECK(load_be32(quoted + 12) == kInside.v4_host_order());
  CHECK(load_be16(quoted + 20) == 1000);
  CHECK(load_be32(quoted + 24) == 4242);
  CHECK(fold(add_words(0, Bytes(quoted, 20))) == 0xffff);
  CHECK(fold(add_words(0, Bytes(view.transport(), view.transport_length()))) == 0xffff);
}

TEST_SUITE_END();

}  // namespace braid::sim
