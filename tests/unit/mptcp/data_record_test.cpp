#include "stack/mptcp/data_record.h"

#include <doctest/doctest.h>

namespace braid::mptcp {
namespace {

using Standing = DataRecord::Standing;

DataRecord carried_by(SubflowId subflow, Standing standing) {
  DataRecord record;
  record.add(subflow);
  record.find(subflow)->standing = standing;
  return record;
}

}  // namespace

TEST_SUITE_BEGIN("mptcp");
TEST_CASE("a record nobody carries is hopeless, and so is one whose carriers all timed out") {
  DataRecord record;
  CHECK(record.hopeless());
  record.add(1);
  CHECK_FALSE(record.hopeless());
  record.find(1)->standing = Standing::kTimedOut;
  CHECK(record.hopeless());
  record.add(2);
  CHECK_FALSE(record.hopeless());
  record.find(2)->standing = Standing::kAcked;
  CHECK_FALSE(record.hopeless());
  record.remove(2);
  CHECK(record.hopeless());
}

TEST_CASE("a subflow takes a record again only after it delivered it") {
  CHECK(DataRecord().may_ride_on(1));
  CHECK_FALSE(carried_by(1, Standing::kInFlight).may_ride_on(1));
  CHECK_FALSE(carried_by(1, Standing::kTimedOut).may_ride_on(1));
  CHECK(carried_by(1, Standing::kAcked).may_ride_on(1));
  CHECK(carried_by(1, Standing::kInFlight).may_ride_on(2));
}

TEST_CASE("a record awaits only a DATA_ACK once delivered and in flight nowhere") {
  CHECK_FALSE(DataRecord().awaits_data_ack());
  CHECK_FALSE(carried_by(1, Standing::kTimedOut).awaits_data_ack());
  DataRecord record = carried_by(1, Standing::kAcked);
  CHECK(record.awaits_data_ack());
  record.add(2);
  CHECK_FALSE(record.awaits_data_ack());
  record.find(2)->standing = Standing::kTimedOut;
  CHECK(record.awaits_data_ack());
  record.due = true;
  CHECK_FALSE(record.awaits_data_ack());
}

TEST_CASE("adding a carrier that is there already puts it in flight anew") {
  DataRecord record = carried_by(1, Standing::kAcked);
  record.add(1);
  CHECK(record.carrier_count == 1);
  CHECK(record.find(1)->standing == Standing::kInFlight);
}

TEST_CASE("a ninth carrier makes the oldest forgotten, and only that") {
  DataRecord record;
  for (SubflowId id = 1; id <= DataRecord::kMaxCarriers + 1; ++id) record.add(id);
  CHECK(record.carrier_count == DataRecord::kMaxCarriers);
  CHECK(record.find(1) == nullptr);
  for (SubflowId id = 2; id <= DataRecord::kMaxCarriers + 1; ++id) CHECK(record.find(id));
}
TEST_SUITE_END();

}  // namespace braid::mptcp
