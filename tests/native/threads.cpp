// The thread team without Python, for the thread sanitizer: training, loss and forward passes with
// 1 to 4 threads must give the same bits, and no two threads may touch the same memory unordered.

#include <cstdio>
#include <cstring>
#include <vector>

#include "../../native/checked.hpp"
#include "../../native/dispatch.hpp"
#include "../../native/team.hpp"
#include "../../native/thread_choice.hpp"

using namespace chainrule;

namespace {

// Numbers in [-1, 1) that need no library: their quality does not matter here.
float next(unsigned &state) {
    state = state * 1664525u + 1013904223u;
    return float(state >> 8) / float(1 << 23) - 1.0f;
}

struct Result {
    std::vector<float> parameters, average, outputs;
    std::vector<double> costs;
    bool operator==(const Result &) const = default;
};

// Tables of several groups of rows, and of one.
const struct {
    long column, codes, dimension;
} tables[2] = {{1, 5000, 8}, {0, 3, 2}};

NamedLayer dense(int n_in, int n_out, const char *activation, int groups = 1) {
    return {groups > 1 ? "grouped_dense" : "dense",
            n_in,
            n_out,
            {activation},
            {},
            {{0, n_out, n_in / groups, "weights", 1, groups > 1 ? groups : 0},
             {0, n_out, 1, "biases"}}};
}

// Of members that share W, with their own inputs.
NamedLayer batch_ensemble(int n_in, int n_out, const char *activation, int members) {
    return {"batch_ensemble",
            n_in,
            n_out,
            {activation},
            {},
            {{0, n_out / members, n_in / members, "weights", 1, 1},
             {0, n_in, 1, "scale"},
             {0, n_out, 1, "scale"},
             {0, n_out, 1, "biases"}}};
}

// The network, and where batch normalisation has its parameters.
struct Case {
    std::vector<NamedLayer> layers;
    long parameters = 0, ones = 0, after = 0;

    Case(bool normalized, bool embedded, int n_in, int hidden, int n_out) {
        const int below = embedded ? n_in + 8 : n_in;
        if (embedded) {
            NamedLayer layer{"category_embedding", n_in, below};
            for (const auto &table : tables) {
                layer.settings["columns"].push_back(double(table.column));
                layer.blocks.push_back({0, table.codes, table.dimension, "embeddings"});
            }
            layers.push_back(layer);
        }
        layers.push_back(dense(below, hidden, "tanh"));
        if (normalized) {
            NamedLayer layer{"batch_norm", hidden, hidden, {"relu"}};
            layer.settings = {{"momentum", {0.9}}, {"epsilon", {1e-5}}};
            layer.blocks = {{0, hidden, 1, "scale"},
                            {0, hidden, 1, "scale"},
                            {0, hidden, 1, "statistics"},
                            {0, hidden, 1, "statistics"}};
            layers.push_back(layer);
        }
        layers.push_back({"dropout", hidden, hidden, {"identity"}, {{"rate", {0.3}}}});
        if (hidden % 4 == 0) {
            layers.push_back(dense(hidden, hidden, "silu", 4));
            layers.push_back(batch_ensemble(hidden, hidden, "tanh", 4));
        }
        layers.push_back(dense(hidden, n_out, "identity"));
        for (NamedLayer &layer : layers) {
            if (layer.kind == "batch_norm") ones = parameters;
            for (NamedBlock &block : layer.blocks) {
                block.offset = parameters;
                parameters += block.rows * block.columns;
            }
            if (layer.kind == "batch_norm") after = parameters;
        }
    }
};

Result run(int threads, Precision precision, bool normalized, bool embedded, long m, long batch,
           int n_in, int hidden, int n_out) {
    const Case network(normalized, embedded, n_in, hidden, n_out);
    const Plan plan(network.layers, {{n_out, {"softmax"}, {"cross_entropy"}}}, true);
    const long count = network.parameters;
    const long steps = (m + batch - 1) / batch * 2;
    unsigned state = 1;
    Result result;
    result.parameters.resize(count);
    for (float &x : result.parameters)
        x = 0.1f * next(state);
    for (long i = network.ones; i < network.after; ++i)
        result.parameters[i] = 1.0f;
    std::vector<float> X(m * n_in), slots(3 * count, 0.0f); // of Adam or Muon, and an average
    for (float &x : X)
        x = next(state);
    for (long i = 0; embedded && i < m; ++i) {
        for (const auto &table : tables)
            X[i * n_in + table.column] = float((i * 7919) % table.codes);
    }
    std::vector<std::int32_t> classes(m), order(2 * m);
    for (long i = 0; i < m; ++i)
        classes[i] = std::int32_t(i % n_out);
    for (long i = 0; i < 2 * m; ++i)
        order[i] = std::int32_t((i * 7919) % m);
    const auto examples =
        plan.examples<float>({X.data(), m, n_in}, std::nullopt, {{classes.data(), m}}, std::nullopt,
                             {{order.data(), 2, m}});
    const std::vector<double> rates(steps, 1e-3), shares(steps, 0.25);
    result.costs.resize(2 * steps);
    const TrainingArrays<float> arrays{{result.parameters.data(), count},
                                       {slots.data(), 3, count},
                                       {rates.data(), steps},
                                       {result.costs.data(), steps},
                                       {result.costs.data() + steps, steps},
                                       std::nullopt,
                                       {{shares.data(), steps}}};
    const Named adam{"adam",
                     {{"beta_1", 0.9}, {"beta_2", 0.999}, {"epsilon", 1e-8}, {"plain_epsilon", 0}}};
    // Its steps of the two layers in the middle are of whole matrices.
    const Named muon{"muon",
                     {{"beta_1", 0.9},
                      {"beta_2", 0.95},
                      {"epsilon", 1e-8},
                      {"weight_decay", 0.01},
                      {"beta", 0.95}}};
    Objective objective{1e-4, 1e-4};
    if (precision == Precision::full) objective.max_norm = 0.1;
    const Training<float> training =
        plan.training(arrays, examples, embedded ? muon : adam, 0, batch, objective, 7);
    // An even number is the most that measuring may choose.
    ThreadChoice choice;
    const Control control{threads % 2 ? threads : -threads, nullptr, nullptr, &choice};
    kernels<float>(precision).train(plan.network(), result.parameters.data(), examples, training,
                                    control);
    result.average.assign(slots.begin() + 2 * count, slots.end());
    result.outputs.resize(m * n_out);
    const bool split = precision == Precision::split;
    kernels<float>(split ? precision : Precision::full)
        .forward(plan.network(), result.parameters.data(), X.data(), m, result.outputs.data(),
                 control);
    return result;
}

// The number of threads that a ThreadChoice comes to in `seconds` from `from` on, where a second of
// the clock brings as many examples as `speed` says for a number of threads.
template <typename Speed>
int settled(ThreadChoice &choice, double from, double seconds, Speed &&speed) {
    double now = from, in_use[65] = {};
    while (now < from + seconds) {
        const int threads = choice.threads();
        in_use[threads] += choice.seconds();
        now += choice.seconds();
        choice.note(now, 1.0 / speed(threads));
    }
    int most = 1;
    for (int threads = 1; threads <= 64; ++threads)
        if (in_use[threads] > in_use[most]) most = threads;
    return in_use[most] > 0.85 * seconds ? most : 0;
}

int wrong_choice(const char *what, int found, int expected) {
    std::printf("%s: %d threads, expected %d\n", what, found, expected);
    return found != expected;
}

int wrong_choices() {
    int failed = 0;
    const auto faster = [](int threads) { return double(threads); };
    const auto slower = [](int threads) { return 1.0 / threads; };
    const auto up_to_four = [](int threads) {
        return threads <= 4 ? double(threads) : 4.0 / threads;
    };
    for (int guess : {1, 6}) {
        ThreadChoice choice;
        choice.begin(6, guess);
        failed += wrong_choice("more are faster", settled(choice, 10, 2, faster), 6);
        failed += wrong_choice("then slower", settled(choice, 12, 2, slower), 1);
        failed += wrong_choice("then faster up to four", settled(choice, 14, 6, up_to_four), 4);
        choice.begin(1, 1);
        failed += wrong_choice("only one", settled(choice, 20, 1, faster), 1);
    }
    return failed;
}

} // namespace

int main() {
    int failed = wrong_choices();
    const struct {
        long m, batch;
        int n_in, hidden, n_out;
    } cases[] = {{1000, 256, 70, 130, 5},
                 {300, 64, 200, 200, 3},
                 {1300, 512, 28, 100, 2},
                 {20000, 20000, 300, 40, 2},
                 {500, 200, 300, 260, 5}};
    const struct {
        Precision precision;
        const char *name;
    } precisions[] = {
        {Precision::full, ""}, {Precision::mixed, ", mixed"}, {Precision::split, ", split"}};
    for (const auto &c : cases) {
        for (int kind = 0; kind < 12; ++kind) {
            const auto &[precision, name] = precisions[kind % 3];
            const bool normalized = kind / 3 & 1, embedded = kind / 6;
            if (!has(precision)) continue;
            const auto trained = [&, precision = precision](int threads) {
                return run(threads, precision, normalized, embedded, c.m, c.batch, c.n_in, c.hidden,
                           c.n_out);
            };
            const Result alone = trained(1);
            for (int threads = 2; threads <= 4; ++threads) {
                const Result other = trained(threads);
                std::printf("%ld examples, batch %ld%s%s%s, %d threads: %s\n", c.m, c.batch, name,
                            normalized ? ", normalized" : "", embedded ? ", embedded" : "", threads,
                            other == alone ? "the same bits" : "OTHER BITS");
                failed += !(other == alone);
            }
        }
    }
    return failed != 0;
}
