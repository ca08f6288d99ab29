// The library's table of functions: MPTCP, from the far end's point of view.
#include "stack/mptcp/keys.h"
#include "tests/packetdrill/table.h"

namespace braid::test {

TEST_SUITE_BEGIN("packetdrill");

TEST_CASE("an MPTCP connection is accepted and its bytes are acknowledged at the data level") {
  constexpr int kMptcp = 262;
  constexpr wire::MptcpKey kFarKey = 2;
  Table t;
  const int listener = t.listener(kMptcp);
  REQUIRE(listener >= 0);
  wire::Segment syn = t.segment(0, 0, {.syn = true});
  syn.options.mptcp.push_back(wire::MpCapable{});
  t.send(syn);
  const wire::Segment answer = t.take();
  const auto* const capable = answer.options.find<wire::MpCapable>();
  REQUIRE(capable != nullptr);
  REQUIRE(capable->sender_key.has_value());
  const wire::MptcpKey near_key = *capable->sender_key;

  wire::Segment third = t.segment(1, 1, {.ack = true});
  third.options.mptcp.push_back(wire::MpCapable{.sender_key = kFarKey, .receiver_key = near_key});
  t.send(third);
  const int fd = t.i.accept(t.u(), listener, nullptr, nullptr);
  REQUIRE(fd >= 0);

  const std::vector<std::uint8_t> text(50, 9);
  const std::uint64_t first = mptcp::initial_dsn_of(kFarKey) + 1;
  wire::Segment data = t.segment(1, 1, {.psh = true, .ack = true});
  wire::Dss dss;
  dss.mapping =
      wire::Dss::Mapping{.data_sequence = first, .subflow_sequence = 1, .data_length = 50};
  data.options.mptcp.push_back(dss);
  data.payload = Slices(Bytes(text));
  t.send(data);
  const wire::Segment acknowledged = t.take();
  const auto* const said = acknowledged.options.find<wire::Dss>();
  REQUIRE(said != nullptr);
  CHECK(said->data_ack == first + 50);
  std::vector<std::uint8_t> got(100);
  CHECK(t.i.read(t.u(), fd, got.data(), got.size()) == 50);
}

TEST_SUITE_END();

}  // namespace braid::test
