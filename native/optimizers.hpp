// The compiled twins of chainrule.equations.optimizers and penalties: one struct per optimizer, the
// list of the structs, and the update of a slice of the parameters in one pass.
#pragma once

#include "types.hpp"

namespace chainrule::CHAINRULE_ISA {

// An update's numbers for one step, with the bias corrections folded in. Adam's α V̂/(√Ŝ + ε) is
// written (α √(1 − β₂ᵗ)/(1 − β₁ᵗ)) V/(√S + ε √(1 − β₂ᵗ)), which takes one root and one division per
// element.
template <typename T> struct StepNumbers {
    T rate, beta_1, rest_1, beta_2, rest_2, epsilon, l1, l2;
    T decay;        // α λ of O6 and O8
    T ahead, now;   // factors of V and δW in O7's V̂
    T share;        // c of WA1
    T step;         // α of O11, which has no bias correction
    T scale = T(1); // factor of the gradient if its norm is clipped

    // The numbers of parameters that have their own learning-rate factor.
    StepNumbers at_rate(double factor) const {
        StepNumbers numbers = *this;
        numbers.rate *= T(factor);
        numbers.decay *= T(factor);
        numbers.step *= T(factor);
        return numbers;
    }

    template <typename U> StepNumbers<U> as() const {
        return {U(rate), U(beta_1), U(rest_1), U(beta_2), U(rest_2), U(epsilon), U(l1),
                U(l2),   U(decay),  U(ahead),  U(now),    U(share),  U(step),    U(scale)};
    }
};

// The powers βᵗ of the first two settings, for optimizers with bias-corrected averages.
struct Powers {
    double first, second;
};

// Each optimizer defines its name, the names of its settings, the number of its state vectors
// (`slots`), the numbers of a step other than the learning rate (`numbers`, called once per step),
// and the update of one vector of parameters (`update`).
template <typename T, int BYTES> struct Optimizers : Simd<T, BYTES> {
    using S = Simd<T, BYTES>;
    using typename S::V;
    using Numbers = StepNumbers<T>;

    static constexpr int most_slots = 3;
    struct Slice {
        V theta, g;
        V slot[most_slots];
    };

    struct Plain {
        static constexpr int slots = 0;
        static constexpr bool averages = false;   // whether a state vector is an average, WA1
        static constexpr bool orthogonal = false; // whether hidden matrices have steps by O11
        static constexpr Names settings{};
        static void numbers(StepNumbers<double> &, const double *, Powers) {}
    };

    // O0
    struct GradientDescent : Plain {
        static constexpr const char *name = "sgd";
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) { x.theta -= n.rate * x.g; }
    };

    struct Average : Plain {
        static constexpr int slots = 1;
        static constexpr Names settings{"beta"};
        static void numbers(StepNumbers<double> &n, const double *own, Powers) {
            n.beta_1 = own[0];
            n.rest_1 = 1 - own[0];
        }
    };

    // O1
    struct Momentum : Average {
        static constexpr const char *name = "momentum";
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            V &average = x.slot[0];
            average = n.beta_1 * average + n.rest_1 * x.g;
            x.theta -= n.rate * average;
        }
    };

    // O2
    struct RMSprop : Average {
        static constexpr const char *name = "rmsprop";
        static constexpr Names settings{"beta", "epsilon"};
        static void numbers(StepNumbers<double> &n, const double *own, Powers powers) {
            Average::numbers(n, own, powers);
            n.epsilon = own[1];
        }
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            V &squares = x.slot[0];
            squares = n.beta_1 * squares + n.rest_1 * (x.g * x.g);
            x.theta -= S::quotient(n.rate * x.g, S::sqrt(squares) + n.epsilon);
        }
    };

    // O4
    struct HeavyBall : Average {
        static constexpr const char *name = "heavy_ball";
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            V &velocity = x.slot[0];
            velocity = n.beta_1 * velocity - n.rate * x.g;
            x.theta += velocity;
        }
    };

    // O5
    struct Nesterov : Average {
        static constexpr const char *name = "nesterov";
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            V &velocity = x.slot[0];
            const V step = n.rate * x.g;
            velocity = n.beta_1 * velocity - step;
            x.theta += n.beta_1 * velocity - step;
        }
    };

    // The common part of Adam and its variants: two running means, and ε added to the root of
    // the second one.
    struct TwoAverages : Plain {
        static constexpr int slots = 2;
        static constexpr Names settings{"beta_1", "beta_2", "epsilon"};
        static void means(StepNumbers<double> &n, const double *own) {
            n.beta_1 = own[0];
            n.rest_1 = 1 - own[0];
            n.beta_2 = own[1];
            n.rest_2 = 1 - own[1];
        }
        // The bias corrections by 1 − βᵗ. `plain`: O3e, where ε is not rescaled, instead of O3.
        static void corrected(StepNumbers<double> &n, const double *own, Powers powers,
                              bool plain = false) {
            means(n, own);
            const double root = __builtin_sqrt(1 - powers.second);
            n.rate *= root / (1 - powers.first);
            n.epsilon = own[2];
            if (!plain) n.epsilon *= root;
        }
        static void numbers(StepNumbers<double> &n, const double *own, Powers powers) {
            corrected(n, own, powers);
        }
        CHAINRULE_INLINE void average(Slice &x, const Numbers &n) {
            x.slot[0] = n.beta_1 * x.slot[0] + n.rest_1 * x.g;
            x.slot[1] = n.beta_2 * x.slot[1] + n.rest_2 * (x.g * x.g);
        }
    };

    // O3, O3e
    struct Adam : TwoAverages {
        static constexpr const char *name = "adam";
        static constexpr Names settings{"beta_1", "beta_2", "epsilon", "plain_epsilon"};
        static void numbers(StepNumbers<double> &n, const double *own, Powers powers) {
            TwoAverages::corrected(n, own, powers, own[3] != 0);
        }
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            TwoAverages::average(x, n);
            x.theta -= S::quotient(n.rate * x.slot[0], S::sqrt(x.slot[1]) + n.epsilon);
        }
    };

    // O6
    struct AdamW : TwoAverages {
        static constexpr const char *name = "adamw";
        static constexpr Names settings{"beta_1", "beta_2", "epsilon", "weight_decay"};
        static void numbers(StepNumbers<double> &n, const double *own, Powers powers) {
            // Decay takes the learning rate before `corrected` scales it.
            n.decay = n.rate * own[3];
            TwoAverages::corrected(n, own, powers);
        }
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            TwoAverages::average(x, n);
            const V step = S::quotient(n.rate * x.slot[0], S::sqrt(x.slot[1]) + n.epsilon);
            x.theta -= step + n.decay * x.theta;
        }
    };

    // O7
    struct NAdam : TwoAverages {
        static constexpr const char *name = "nadam";
        static void numbers(StepNumbers<double> &n, const double *own, Powers powers) {
            TwoAverages::means(n, own);
            const double root = __builtin_sqrt(1 - powers.second);
            n.rate *= root;
            n.epsilon = own[2] * root;
            n.ahead = own[0] / (1 - powers.first * own[0]);
            n.now = (1 - own[0]) / (1 - powers.first);
        }
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            TwoAverages::average(x, n);
            const V corrected = n.ahead * x.slot[0] + n.now * x.g;
            x.theta -= S::quotient(n.rate * corrected, S::sqrt(x.slot[1]) + n.epsilon);
        }
    };

    // O8
    struct Lion : TwoAverages {
        static constexpr const char *name = "lion";
        static constexpr int slots = 1;
        static constexpr Names settings{"beta_1", "beta_2", "weight_decay"};
        static void numbers(StepNumbers<double> &n, const double *own, Powers) {
            TwoAverages::means(n, own);
            n.decay = n.rate * own[2];
        }
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            V &average = x.slot[0];
            x.theta -= n.rate * S::sign(n.beta_1 * average + n.rest_1 * x.g) + n.decay * x.theta;
            average = n.beta_2 * average + n.rest_2 * x.g;
        }
    };

    // O9; the state vectors are Z, X and S.
    struct ScheduleFreeAdamW : TwoAverages {
        static constexpr const char *name = "schedule_free_adamw";
        static constexpr int slots = 3;
        static constexpr bool averages = true;
        static constexpr Names settings{"beta_1", "beta_2", "epsilon", "weight_decay"};
        static void numbers(StepNumbers<double> &n, const double *own, Powers powers) {
            TwoAverages::means(n, own);
            const double root = __builtin_sqrt(1 - powers.second);
            n.decay = n.rate * own[3];
            n.rate *= root;
            n.epsilon = own[2] * root;
        }
        CHAINRULE_INLINE void update(Slice &x, const Numbers &n) {
            V &fast = x.slot[0], &average = x.slot[1], &squares = x.slot[2];
            squares = n.beta_2 * squares + n.rest_2 * (x.g * x.g);
            const V step = S::quotient(n.rate * x.g, S::sqrt(squares) + n.epsilon);
            fast -= step + n.decay * x.theta;
            average += n.share * (fast - average);
            x.theta = average + n.rest_1 * (fast - average);
        }
    };

    // O11: hidden matrices by `ahead` and `orthogonal_step`, everything else as O6.
    struct Muon : AdamW {
        static constexpr const char *name = "muon";
        static constexpr bool orthogonal = true;
        static constexpr Names settings{"beta_1", "beta_2", "epsilon", "weight_decay", "beta"};
        static void numbers(StepNumbers<double> &n, const double *own, Powers powers) {
            n.step = n.rate;
            n.ahead = own[4];
            n.now = 1 - own[4];
            AdamW::numbers(n, own, powers);
        }
        static double epsilon(const double *own) { return own[2]; }
    };

    using List = Types<GradientDescent, Momentum, RMSprop, Adam, HeavyBall, Nesterov, AdamW, NAdam,
                       Lion, ScheduleFreeAdamW, Muon>;

    // O11 of a row of a hidden matrix, up to its direction G = βV + (1 − β) δW. Returns Σ g², as
    // `run` does, and Σ G².
    struct RowSquares {
        double gradient, direction;
    };
    static RowSquares ahead(const T *theta, const T *g, T *average, T *direction, long count,
                            const Numbers &numbers) {
        V squares = V{}, ahead = V{};
        for (long i = 0; i < count; i += S::lanes) {
            const int part = count - i < S::lanes ? int(count - i) : S::lanes;
            V x = penalised(S::load_part(g + i, part), S::load_part(theta + i, part), numbers);
            squares += x * x;
            x *= numbers.scale;
            const V mean = numbers.ahead * S::load_part(average + i, part) + numbers.now * x;
            const V G = numbers.ahead * mean + numbers.now * x;
            ahead += G * G;
            S::store_part(average + i, mean, part);
            S::store_part(direction + i, G, part);
        }
        return {double(S::sum(squares)), double(S::sum(ahead))};
    }
    // W ← W − α (size · O + λ W)
    static void orthogonal_step(T *theta, const T *direction, long count, T size,
                                const Numbers &numbers) {
        const T rate = numbers.step * size;
        for (long i = 0; i < count; i += S::lanes) {
            const int part = count - i < S::lanes ? int(count - i) : S::lanes;
            const V W = S::load_part(theta + i, part), O = S::load_part(direction + i, part);
            S::store_part(theta + i, W - (rate * O + numbers.decay * W), part);
        }
    }

    // WA1 of one slice of θ.
    static void average(T *to, const T *theta, long count, T share) {
        for (long i = 0; i < count; i += S::lanes) {
            const int part = count - i < S::lanes ? int(count - i) : S::lanes;
            const V before = S::load_part(to + i, part);
            S::store_part(to + i, before + share * (S::load_part(theta + i, part) - before), part);
        }
    }

    CHAINRULE_INLINE V penalised(V g, V theta, const Numbers &n) {
        return g + n.l2 * theta + n.l1 * S::sign(theta); // P1, P2
    }

    // Penalties and decay apply to weights only.
    CHAINRULE_INLINE Numbers of_slice(Numbers n, bool weights) {
        if (!weights) n.l1 = n.l2 = n.decay = T(0);
        return n;
    }

    // Updates one slice of `count` parameters. The optimizer's state vectors begin at `slots` and
    // are `stride` apart. Returns Σ g², with penalties and before clipping.
    static double run(int kind, T *theta, const T *g, T *slots, long stride, long count,
                      const Numbers &numbers, bool weights) {
        const Numbers n = of_slice(numbers, weights);
        const bool changed = n.l1 != T(0) || n.l2 != T(0) || n.scale != T(1);
        double squares = 0;
        List::visit(kind, [&](auto tag) {
            using Kind = typename decltype(tag)::Type;
            squares = changed ? pass<Kind, true>(theta, g, slots, stride, count, n)
                              : pass<Kind, false>(theta, g, slots, stride, count, n);
        });
        return squares;
    }

    // CHANGED: g has penalties or is clipped. Without them, the loop skips both operations.
    template <typename Kind, bool CHANGED>
    static double pass(T *theta, const T *g, T *slots, long stride, long count, const Numbers &n) {
        static_assert(Kind::slots <= most_slots);
        T *slot[most_slots] = {};
        for (int s = 0; s < Kind::slots; ++s)
            slot[s] = slots + s * stride;
        V squares = V{};
        const auto change = [&](Slice &x) __attribute__((always_inline)) {
            if constexpr (CHANGED) x.g = penalised(x.g, x.theta, n);
            squares += x.g * x.g;
            if constexpr (CHANGED) x.g *= n.scale;
            Kind::update(x, n);
        };
        long i = 0;
        for (; i + S::lanes <= count; i += S::lanes) {
            Slice x{S::load(theta + i), S::load(g + i), {}};
            for (int s = 0; s < Kind::slots; ++s)
                x.slot[s] = S::load(slot[s] + i);
            change(x);
            S::store(theta + i, x.theta);
            for (int s = 0; s < Kind::slots; ++s)
                S::store(slot[s] + i, x.slot[s]);
        }
        if (i < count) {
            const int part = static_cast<int>(count - i);
            Slice x{S::load_part(theta + i, part), S::load_part(g + i, part), {}};
            for (int s = 0; s < Kind::slots; ++s)
                x.slot[s] = S::load_part(slot[s] + i, part);
            change(x);
            S::store_part(theta + i, x.theta, part);
            for (int s = 0; s < Kind::slots; ++s)
                S::store_part(slot[s] + i, x.slot[s], part);
        }
        return static_cast<double>(S::sum(squares));
    }

    // Σ (g + ∂P/∂θ)² of a slice.
    static double squares(const T *theta, const T *g, long count, const Numbers &numbers,
                          bool weights) {
        const Numbers n = of_slice(numbers, weights);
        V sum = V{};
        for (long i = 0; i < count; i += S::lanes) {
            const int part = count - i < S::lanes ? int(count - i) : S::lanes;
            const V x = penalised(S::load_part(g + i, part), S::load_part(theta + i, part), n);
            sum += x * x;
        }
        return static_cast<double>(S::sum(sum));
    }

    // P1 and P2 of a slice of weights, in double precision.
    static double penalty(const T *w, long count, const StepNumbers<T> &n) {
        constexpr int lanes = BYTES / 8;
        using D = typename Simd<double, BYTES>::V;
        using Part = Simd<T, lanes *static_cast<int>(sizeof(T))>;
        // Four independent sums, so that no addition waits for the previous one.
        D squares[4] = {}, sizes[4] = {};
        double rest_squares = 0, rest_sizes = 0;
        const long whole = count - count % (4 * lanes);
        for (long i = 0; i < whole; i += 4 * lanes) {
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) {
                const D x = __builtin_convertvector(Part::load(w + i + j * lanes), D);
                squares[j] += x * x;
                if (n.l1 != T(0)) sizes[j] += x < 0 ? -x : x;
            }
        }
        for (long i = whole; i < count; ++i) {
            const double x = double(w[i]);
            rest_squares += x * x;
            rest_sizes += x < 0 ? -x : x;
        }
        const D all_squares = (squares[0] + squares[1]) + (squares[2] + squares[3]);
        const D all_sizes = (sizes[0] + sizes[1]) + (sizes[2] + sizes[3]);
        for (int i = 0; i < lanes; ++i) {
            rest_squares += all_squares[i];
            rest_sizes += all_sizes[i];
        }
        return 0.5 * double(n.l2) * rest_squares + double(n.l1) * rest_sizes;
    }

    // g += ∂P/∂θ without an update, for a gradient that is returned to the caller.
    static void add_penalties(T *g, const T *theta, long count, const StepNumbers<T> &n) {
        for (long i = 0; i < count; ++i) {
            const T sign = T((theta[i] > T(0)) - (theta[i] < T(0)));
            g[i] += n.l2 * theta[i] + n.l1 * sign;
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
