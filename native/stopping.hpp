// Early stopping within a run: the compiled twin of chainrule.training.stopping, for rules on the
// training loss. The caller applies the rule again to the records, and may overrule its end.
#pragma once

#include "plan.hpp"
#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

class Stopping {
  public:
    // `examples`: number of examples per epoch.
    Stopping(const LossRule *rule, long examples) : rule_(rule), examples_(examples) {
        if (rule) best_ = rule->best, stale_ = rule->stale;
    }

    // Takes the records of a step of `count` examples; returns true if the run is to end after it.
    bool step(double cost, double penalty, long count, bool ends_epoch) {
        if (!rule_) return false;
        sum_ += (cost / rule_->outputs + penalty) * double(count);
        return ends_epoch && epoch();
    }

  private:
    bool epoch() {
        const double loss = sum_ / double(examples_);
        sum_ = 0;
        stale_ = loss > best_ - rule_->tolerance ? stale_ + 1 : 0;
        if (loss < best_) best_ = loss;
        // The difference of a number that is not finite from itself is NaN.
        return double(stale_) > rule_->patience || !(loss - loss == 0);
    }

    const LossRule *rule_;
    long examples_, stale_ = 0;
    double best_ = 0, sum_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
