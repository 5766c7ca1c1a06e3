// Lists of types: one each for the kinds of layer, the activations, the costs and the optimizers. A
// type is chosen by its index in the list, and defines its own name and the names of its settings.
// Choosing is a fold over the list, which the compiler turns into a jump or comparisons; there are
// no virtual calls.
#pragma once

#include <type_traits>

#include "plan.hpp"
#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// The names of a type's settings, in the order in which it reads them.
struct Names {
    const char *name[most_settings] = {};
};

template <typename X> struct Tag {
    using Type = X;
};

template <typename... Xs> struct Types {
    static constexpr int count = sizeof...(Xs);

    // The index of X; −1 if it is not in the list.
    template <typename X> static constexpr int place_of() {
        int place = 0, found = -1;
        ((std::is_same_v<X, Xs> ? void(found = place++) : void(++place)), ...);
        return found;
    }

    // Calls f with the tag of the type at an index.
    template <typename F> CHAINRULE_INLINE void visit(int place, F &&f) {
        int i = 0;
        (void)((place == i++ && (f(Tag<Xs>{}), true)) || ...);
    }

    // Calls f with the tag of every type in turn.
    template <typename F> static void each(F &&f) { (f(Tag<Xs>{}), ...); }
};

// A choice's settings, converted to the kernels' type.
template <typename T> struct Settings {
    T at[most_settings];
    explicit Settings(const Choice &choice) {
        for (int i = 0; i < most_settings; ++i)
            at[i] = T(choice.settings[i]);
    }
    T operator[](int i) const { return at[i]; }
};

} // namespace chainrule::CHAINRULE_ISA
