#include "stack/mptcp/subflow_receiver.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "stack/wire/checksum.h"

namespace braid::mptcp {
namespace {

constexpr MptcpKey kOurKey = 1, kPeerKey = 2;

Bytes bytes(std::string_view text) {
  return Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

// A subflow of a connection with DSS checksums, at position 0 and SSN 1.
struct Fixture {
  ChunkPool pool{1 << 20};
  Pipe out{pool, 1000}, in{pool, 1000};
  Habits habits;
  DataLevel level{out, in, habits};
  SubflowReceiver receiver{level};
  std::uint64_t first_dsn = initial_dsn_of(kPeerKey) + 1;

  Fixture() {
    level.mode = Mode::kMptcp;
    level.negotiation =
        Negotiation(Negotiation::Role::kInitiator, kOurKey, {.require_checksum = true});
    wire::TcpOptions syn_ack;
    wire::MpCapable answer{.version = 1, .crypto_bits = 1};
    answer.sender_key = kPeerKey;
    syn_ack.mptcp.push_back(answer);
    level.negotiation.receive_syn_ack(syn_ack);
    REQUIRE(level.checksum());
    level.receiver.emplace(in, DataSequence(first_dsn - 1, StreamOffset(0)));
  }

  enum class Fin { kNo, kYes };
  // The mapping of `text` at SSN 1, with a DATA_FIN folded in or not.
  wire::Dss mapping(std::string_view text, Fin fin) const {
    wire::Dss dss;
    dss.data_fin = fin == Fin::kYes;
    const auto length = static_cast<std::uint16_t>(text.size() + (fin == Fin::kYes ? 1 : 0));
    wire::InternetSum sum;
    sum.add(bytes(text));
    dss.mapping = wire::Dss::Mapping{.data_sequence = first_dsn,
                                     .eight_byte_sequence = true,
                                     .subflow_sequence = 1,
                                     .data_length = length,
                                     .checksum = wire::dss_checksum(sum, first_dsn, 1, length)};
    return dss;
  }
  void arrive(std::uint64_t position, std::string_view text) {
    receiver.place(position, Slices(bytes(text)));
    receiver.received_up_to(position + text.size());
    receiver.validate();
  }
  std::string readable() const {
    const auto all = in.peek(in.released(), 1000).to_vector();
    return std::string(all.begin(), all.end());
  }
};

using Declared = SubflowReceiver::Declared;

}  // namespace

TEST_SUITE_BEGIN("mptcp");
// Linux does this when its user shuts down while the last mapping is still being sent.
TEST_CASE("a checked mapping that comes again with the DATA_FIN folded in is no contradiction") {
  Fixture f;
  REQUIRE(f.receiver.declare(f.mapping("hello", Fixture::Fin::kNo)) == Declared::kFine);
  f.arrive(0, "hel");
  CHECK(f.receiver.declare(f.mapping("hello", Fixture::Fin::kYes)) == Declared::kFine);
  SUBCASE("once") {}
  SUBCASE("and an old copy without it takes nothing back") {
    CHECK(f.receiver.declare(f.mapping("hello", Fixture::Fin::kNo)) == Declared::kFine);
  }
  f.arrive(3, "lo");
  CHECK_FALSE(f.receiver.failed_data_sequence());
  CHECK(f.readable() == "hello");
  CHECK(f.level.receiver->fin_received());
}

TEST_CASE("bytes that fit neither sum of such a mapping are a failure") {
  Fixture f;
  f.receiver.declare(f.mapping("hello", Fixture::Fin::kNo));
  f.receiver.declare(f.mapping("hello", Fixture::Fin::kYes));
  f.arrive(0, "hallo");
  CHECK(f.receiver.failed_data_sequence() == f.first_dsn);
  CHECK(f.readable().empty());
  CHECK_FALSE(f.level.receiver->fin_received());
}

// A coalescing box keeps the options of the first of two segments: the second one's mapping is
// gone.
TEST_CASE("bytes whose mapping never comes starve the subflow, though what follows is mapped") {
  Fixture f;
  f.arrive(0, "lost mapping");
  std::uint64_t position = 12;
  const std::string block(8 * 1024, 'x');
  for (int i = 0; i < 8; ++i) {
    CHECK_FALSE(f.receiver.starved());
    wire::Dss dss = f.mapping(block, Fixture::Fin::kNo);
    dss.mapping->subflow_sequence = static_cast<std::uint32_t>(position + 1);
    dss.mapping->data_sequence += position;
    REQUIRE(f.receiver.declare(dss) == Declared::kFine);
    f.arrive(position, block);
    position += block.size();
  }
  CHECK(f.receiver.starved());
  CHECK(f.receiver.overtaken());  // no reason to take the rest for plain bytes (M110)
  CHECK(f.readable().empty());
}

TEST_CASE("bytes whose mapping was lost do not hold up those that come again under another one") {
  Fixture f;
  f.arrive(0, "hello");
  wire::Dss again = f.mapping("hello", Fixture::Fin::kNo);
  wire::InternetSum sum;
  sum.add(bytes("hello"));
  again.mapping->subflow_sequence = 6;
  again.mapping->checksum = wire::dss_checksum(sum, f.first_dsn, 6, 5);
  REQUIRE(f.receiver.declare(again) == Declared::kFine);
  f.arrive(5, "hello");
  CHECK(f.readable() == "hello");
  CHECK_FALSE(f.receiver.failed_data_sequence());
}

// The box joined the end of one mapping with the beginning of the next, which is declared later.
TEST_CASE("a mapping that begins among held bytes is delivered though those before it never are") {
  Fixture f;
  f.arrive(0, "losthel");
  wire::Dss dss = f.mapping("hello", Fixture::Fin::kNo);
  wire::InternetSum sum;
  sum.add(bytes("hello"));
  dss.mapping->subflow_sequence = 5;
  dss.mapping->checksum = wire::dss_checksum(sum, f.first_dsn, 5, 5);
  REQUIRE(f.receiver.declare(dss) == Declared::kFine);
  f.arrive(7, "lo");
  CHECK(f.readable() == "hello");
  CHECK_FALSE(f.receiver.failed_data_sequence());
}

TEST_CASE("a checked mapping that comes again with another sum is a contradiction") {
  Fixture f;
  f.receiver.declare(f.mapping("hello", Fixture::Fin::kNo));
  CHECK(f.receiver.declare(f.mapping("hallo", Fixture::Fin::kNo)) == Declared::kContradiction);
}
TEST_SUITE_END();

}  // namespace braid::mptcp
