// The numbers of one step: learning rate, and Adam's corrections.
#pragma once

#include "optimizers.hpp"

namespace chainrule::CHAINRULE_ISA {

// α and Adam's corrections, step by step. A power βᵗ is a running product that starts afresh
// from pow at every 64th t: a function of t alone, wherever a call begins.
template <typename T> class StepRates {
  public:
    explicit StepRates(const Update<T> &update) : update_(update), t_(update.t / 64 * 64) {
        restart();
        while (t_ < update.t)
            next();
    }
    void next() {
        ++t_;
        power_1_ *= update_.beta_1;
        power_2_ *= update_.beta_2;
        if (t_ % 64 == 0) restart();
    }
    StepNumbers<T> numbers(long step) const {
        const double alpha = update_.learning_rates[step];
        double rate = alpha, epsilon = update_.epsilon, ahead = 0, now = 0;
        if (slots_of(update_.kind) == 2) {
            const double root = __builtin_sqrt(1 - power_2_);
            rate *= update_.kind == nadam ? root : root / (1 - power_1_);
            if (!update_.plain_epsilon) epsilon *= root; // O3, else O3e
            ahead = update_.beta_1 / (1 - power_1_ * update_.beta_1);
            now = (1 - update_.beta_1) / (1 - power_1_);
        }
        return {T(rate),
                T(update_.beta_1),
                T(1 - update_.beta_1),
                T(update_.beta_2),
                T(1 - update_.beta_2),
                T(epsilon),
                T(update_.l1),
                T(update_.l2),
                T(alpha * update_.weight_decay),
                T(ahead),
                T(now)};
    }

  private:
    void restart() {
        power_1_ = __builtin_pow(update_.beta_1, double(t_));
        power_2_ = __builtin_pow(update_.beta_2, double(t_));
    }
    const Update<T> &update_;
    std::int64_t t_;
    double power_1_, power_2_;
};
} // namespace chainrule::CHAINRULE_ISA
