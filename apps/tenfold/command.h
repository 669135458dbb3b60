// What a command of the program is given, and the list of commands.
// Not here: what the commands do (command_*.cpp) or errors and exit codes (main.cpp).
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "support/terminal.h"

namespace tenfold::app {

/// What all commands share. stdout carries results only; everything else goes to the terminal
/// (stderr).
struct Program {
  Terminal& terminal;
  std::filesystem::path self = {};   ///< the program's file, for starting it again
  int threads = 0;                   ///< of --threads; 0: what the machine offers
  std::string device = {};           ///< of --device; empty: the recipe's, and the CPU without one
  std::string dtype = {};            ///< of --dtype; empty: the recipe's, and float32 without one
  bool quiet = false;                ///< of --quiet: warnings and errors only
  std::function<int()> action = {};  ///< set by the chosen command; returns the exit code

  std::string device_or_cpu() const { return device.empty() ? "cpu" : device; }
  std::string dtype_or_float32() const { return dtype.empty() ? "float32" : dtype; }
};

/// Error{unsupported} naming the command where --device asks for more than the CPU.
void require_cpu(const Program& program, const std::string& command);
/// The same where --dtype asks for more than float32.
void require_float32(const Program& program, const std::string& command);

/// For options that take one value each time they are given.
void may_be_repeated(CLI::Option* option);

/// For options that take whole numbers from `least` on.
CLI::Validator whole_number(int64_t least);

/// Each declares one command: its options once, its help, and its action.
void add_vocab(CLI::App& app, Program& program);
void add_prepare(CLI::App& app, Program& program);
void add_split(CLI::App& app, Program& program);
void add_pretrain(CLI::App& app, Program& program);
void add_finetune(CLI::App& app, Program& program);
void add_evaluate(CLI::App& app, Program& program);
void add_predict(CLI::App& app, Program& program);
void add_fill(CLI::App& app, Program& program);
void add_tag(CLI::App& app, Program& program);
void add_qa(CLI::App& app, Program& program);
void add_embed(CLI::App& app, Program& program);
void add_similarity(CLI::App& app, Program& program);
void add_tokenize(CLI::App& app, Program& program);
void add_inspect(CLI::App& app, Program& program);
void add_verify(CLI::App& app, Program& program);
void add_convert(CLI::App& app, Program& program);
void add_methods(CLI::App& app, Program& program);
void add_doctor(CLI::App& app, Program& program);
void add_bench(CLI::App& app, Program& program);
void add_report(CLI::App& app, Program& program);
void add_study(CLI::App& app, Program& program);

}  // namespace tenfold::app
