// The numbers of one step: learning rate, penalties, and Adam's bias corrections.
#pragma once

#include "optimizers.hpp"

namespace chainrule::CHAINRULE_ISA {

// Advances step by step. A power βᵗ is a running product that is recomputed by pow at every 64th t.
// It depends on t alone, and not on the step at which a call begins.
template <typename T, int BYTES> class StepRates {
    using Opt = Optimizers<T, BYTES>;

  public:
    StepRates(const Update<T> &update, const Objective &objective)
        : update_(update), objective_(objective), t_(update.t / 64 * 64) {
        restart();
        while (t_ < update.t)
            next();
    }
    void next() {
        ++t_;
        powers_.first *= update_.optimizer.settings[0];
        powers_.second *= update_.optimizer.settings[1];
        if (t_ % 64 == 0) restart();
    }
    StepNumbers<T> numbers(long step) const {
        StepNumbers<double> n{};
        n.rate = update_.learning_rates[step];
        if (update_.shares) n.share = update_.shares[step];
        n.l1 = objective_.l1;
        n.l2 = objective_.l2;
        Opt::List::visit(update_.optimizer.kind, [&](auto tag) {
            decltype(tag)::Type::numbers(n, update_.optimizer.settings, powers_);
        });
        return n.template as<T>();
    }

  private:
    void restart() {
        powers_.first = __builtin_pow(update_.optimizer.settings[0], double(t_));
        powers_.second = __builtin_pow(update_.optimizer.settings[1], double(t_));
    }
    const Update<T> &update_;
    const Objective &objective_;
    std::int64_t t_;
    Powers powers_;
};

} // namespace chainrule::CHAINRULE_ISA
