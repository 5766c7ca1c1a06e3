// The compiled twins of chainrule.equations.optimizers and penalties: one pass over a slice.
#pragma once

#include "plan.hpp"
#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// An update's numbers for one step, divided out once: for Adam α V̂/(√Ŝ + ε) is written
// (α √(1 − β₂ᵗ)/(1 − β₁ᵗ)) V/(√S + ε √(1 − β₂ᵗ)), one root and one division an element.
template <typename T> struct StepNumbers {
    T rate, beta_1, rest_1, beta_2, rest_2, epsilon, l1, l2;
    T decay;        // α λ of O6 and O8
    T ahead, now;   // what V and δW count in O7's V̂
    T scale = T(1); // of the gradient, where its norm is clipped
};

template <typename T, int BYTES> struct Optimizers : Simd<T, BYTES> {
    using S = Simd<T, BYTES>;
    using typename S::V;

    struct Slice {
        V theta, g, first, second;
    };

    template <int KIND> CHAINRULE_INLINE void update(Slice &x, const StepNumbers<T> &n) {
        if constexpr (KIND == gradient_descent) { // O0
            x.theta -= n.rate * x.g;
        } else if constexpr (KIND == momentum) { // O1
            x.first = n.beta_1 * x.first + n.rest_1 * x.g;
            x.theta -= n.rate * x.first;
        } else if constexpr (KIND == rmsprop) { // O2
            x.first = n.beta_1 * x.first + n.rest_1 * (x.g * x.g);
            x.theta -= n.rate * x.g / (S::sqrt(x.first) + n.epsilon);
        } else if constexpr (KIND == adam) { // O3
            x.first = n.beta_1 * x.first + n.rest_1 * x.g;
            x.second = n.beta_2 * x.second + n.rest_2 * (x.g * x.g);
            x.theta -= n.rate * x.first / (S::sqrt(x.second) + n.epsilon);
        } else if constexpr (KIND == heavy_ball) { // O4
            x.first = n.beta_1 * x.first - n.rate * x.g;
            x.theta += x.first;
        } else if constexpr (KIND == adamw) { // O6
            x.first = n.beta_1 * x.first + n.rest_1 * x.g;
            x.second = n.beta_2 * x.second + n.rest_2 * (x.g * x.g);
            x.theta -= n.rate * x.first / (S::sqrt(x.second) + n.epsilon) + n.decay * x.theta;
        } else if constexpr (KIND == nadam) { // O7
            x.first = n.beta_1 * x.first + n.rest_1 * x.g;
            x.second = n.beta_2 * x.second + n.rest_2 * (x.g * x.g);
            const V corrected = n.ahead * x.first + n.now * x.g;
            x.theta -= n.rate * corrected / (S::sqrt(x.second) + n.epsilon);
        } else if constexpr (KIND == lion) { // O8
            x.theta -= n.rate * S::sign(n.beta_1 * x.first + n.rest_1 * x.g) + n.decay * x.theta;
            x.first = n.beta_2 * x.first + n.rest_2 * x.g;
        } else { // O5
            const V step = n.rate * x.g;
            x.first = n.beta_1 * x.first - step;
            x.theta += n.beta_1 * x.first - step;
        }
    }

    CHAINRULE_INLINE V penalised(V g, V theta, const StepNumbers<T> &n) {
        return g + n.l2 * theta + n.l1 * S::sign(theta); // P1, P2
    }

    // One slice of θ. Returns Σ g², penalties included, before it is clipped.
    template <int KIND, bool CHANGED>
    static double pass(T *theta, const T *g, T *first, T *second, long count,
                       const StepNumbers<T> &n) {
        constexpr int slots = slots_of(KIND);
        V squares = V{};
        long i = 0;
        for (; i + S::lanes <= count; i += S::lanes) {
            Slice x{S::load(theta + i), S::load(g + i), V{}, V{}};
            if constexpr (slots > 0) x.first = S::load(first + i);
            if constexpr (slots > 1) x.second = S::load(second + i);
            if constexpr (CHANGED) x.g = penalised(x.g, x.theta, n);
            squares += x.g * x.g;
            if constexpr (CHANGED) x.g *= n.scale;
            update<KIND>(x, n);
            S::store(theta + i, x.theta);
            if constexpr (slots > 0) S::store(first + i, x.first);
            if constexpr (slots > 1) S::store(second + i, x.second);
        }
        if (i < count) {
            const int part = static_cast<int>(count - i);
            Slice x{S::load_part(theta + i, part), S::load_part(g + i, part), V{}, V{}};
            if constexpr (slots > 0) x.first = S::load_part(first + i, part);
            if constexpr (slots > 1) x.second = S::load_part(second + i, part);
            if constexpr (CHANGED) x.g = penalised(x.g, x.theta, n);
            squares += x.g * x.g;
            if constexpr (CHANGED) x.g *= n.scale;
            update<KIND>(x, n);
            S::store_part(theta + i, x.theta, part);
            if constexpr (slots > 0) S::store_part(first + i, x.first, part);
            if constexpr (slots > 1) S::store_part(second + i, x.second, part);
        }
        return static_cast<double>(S::sum(squares));
    }

    template <int KIND>
    static double choose(T *theta, const T *g, T *first, T *second, long count,
                         const StepNumbers<T> &n, bool changed) {
        return changed ? pass<KIND, true>(theta, g, first, second, count, n)
                       : pass<KIND, false>(theta, g, first, second, count, n);
    }

    static double run(int kind, T *theta, const T *g, T *first, T *second, long count,
                      const StepNumbers<T> &numbers, bool weights) {
        const StepNumbers<T> n = of_slice(numbers, weights);
        const bool changed = n.l1 != T(0) || n.l2 != T(0) || n.scale != T(1);
        switch (kind) {
        case momentum:
            return choose<momentum>(theta, g, first, second, count, n, changed);
        case rmsprop:
            return choose<rmsprop>(theta, g, first, second, count, n, changed);
        case adam:
            return choose<adam>(theta, g, first, second, count, n, changed);
        case heavy_ball:
            return choose<heavy_ball>(theta, g, first, second, count, n, changed);
        case nesterov:
            return choose<nesterov>(theta, g, first, second, count, n, changed);
        case adamw:
            return choose<adamw>(theta, g, first, second, count, n, changed);
        case nadam:
            return choose<nadam>(theta, g, first, second, count, n, changed);
        case lion:
            return choose<lion>(theta, g, first, second, count, n, changed);
        default:
            return choose<gradient_descent>(theta, g, first, second, count, n, changed);
        }
    }

    // Penalties and decay are the weights' alone.
    CHAINRULE_INLINE StepNumbers<T> of_slice(StepNumbers<T> n, bool weights) {
        if (!weights) n.l1 = n.l2 = n.decay = T(0);
        return n;
    }

    // Σ (g + ∂P/∂θ)² of a slice.
    static double squares(const T *theta, const T *g, long count, const StepNumbers<T> &numbers,
                          bool weights) {
        const StepNumbers<T> n = of_slice(numbers, weights);
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
        // Four sums side by side, so that no addition waits for the one before.
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

    // g += ∂P/∂θ alone, for a gradient that is handed out.
    static void add_penalties(T *g, const T *theta, long count, const StepNumbers<T> &n) {
        for (long i = 0; i < count; ++i) {
            const T sign = T((theta[i] > T(0)) - (theta[i] < T(0)));
            g[i] += n.l2 * theta[i] + n.l1 * sign;
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
