#include "stack/base/bytes.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("base");

using namespace braid;

namespace {

const std::vector<std::uint8_t> kTen = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

Slices cut_at(std::size_t first, std::size_t second) {
  // Copies, so that the pieces do not touch in memory.
  static std::vector<std::vector<std::uint8_t>> pieces;
  pieces = {{kTen.begin(), kTen.begin() + static_cast<std::ptrdiff_t>(first)},
            {kTen.begin() + static_cast<std::ptrdiff_t>(first),
             kTen.begin() + static_cast<std::ptrdiff_t>(second)},
            {kTen.begin() + static_cast<std::ptrdiff_t>(second), kTen.end()}};
  Slices out;
  for (const auto& piece : pieces) out.append(piece);
  return out;
}

}  // namespace

TEST_CASE("slices that touch become one, empty ones none") {
  Slices slices;
  slices.append(Bytes(kTen).first(4));
  slices.append(Bytes());
  slices.append(Bytes(kTen).subspan(4));
  CHECK(slices.list().size() == 1);
  CHECK(slices.size() == 10);
}

TEST_CASE("a part of a run is cut out across its slices") {
  const Slices slices = cut_at(3, 7);
  REQUIRE(slices.list().size() == 3);
  CHECK(slices.sub(2, 6).to_vector() == std::vector<std::uint8_t>{2, 3, 4, 5, 6, 7});
  CHECK(slices.sub(3, 4).list().size() == 1);
  CHECK(slices.sub(10, 0).empty());
  CHECK(slices.sub(0, 10) == slices);
}

TEST_CASE("runs are equal by their bytes, however they are cut") {
  CHECK(cut_at(3, 7) == Slices(Bytes(kTen)));
  CHECK_FALSE(cut_at(3, 7) == Slices(Bytes(kTen).first(9)));
  std::vector<std::uint8_t> other = kTen;
  other[5] = 99;
  CHECK_FALSE(Slices(Bytes(kTen)) == Slices(Bytes(other)));
}

TEST_CASE("big-endian numbers are read as they were written") {
  std::array<std::uint8_t, 8> buffer{};
  store_be64(buffer.data(), 0x0102030405060708);
  CHECK(buffer == std::array<std::uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(load_be64(buffer.data()) == 0x0102030405060708);
  CHECK(load_be32(buffer.data() + 4) == 0x05060708);
  CHECK(load_be16(buffer.data() + 1) == 0x0203);
}

TEST_SUITE_END();
