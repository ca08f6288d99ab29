// Draws the second half of a plan; see plan_wider.cpp.
#pragma once

#include "tests/sim/random/plan.h"

namespace braid::sim {

void draw_wider(Plan& plan);

}  // namespace braid::sim
