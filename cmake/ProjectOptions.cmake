# How every target of r1fit is compiled and linked: the INTERFACE target r1fit_options, never exported.
# Whether a warning is an error is the preset's business (CMAKE_COMPILE_WARNING_AS_ERROR).

set(R1FIT_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")
option(R1FIT_FIXED "Link the program at a fixed address with the C++ library inside: a short start-up" OFF)
option(R1FIT_STATIC "Link the C library in, too: runs on any Linux, but cannot load NVIDIA's library" OFF)

add_library(r1fit_options INTERFACE)
target_compile_features(r1fit_options INTERFACE cxx_std_20)
target_compile_definitions(
  r1fit_options
  INTERFACE JSON_DIAGNOSTICS=1 # "(/models/0/weights)" in nlohmann's messages; the same in all files (ODR)
            $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>) # checked operator[], front(), *optional

target_compile_options(
  r1fit_options
  INTERFACE
    -Wall
    -Wextra
    -Wpedantic # no compiler extensions: two compilers build this
    -Wconversion # a double that silently becomes a byte count
    -Wsign-conversion # a negative that silently becomes a huge size (in -Wconversion of clang only)
    -Wdouble-promotion # float arithmetic is never meant here
    -Wshadow # a name that is not the one you think
    -Wold-style-cast # a cast must say what it does
    -Wnon-virtual-dtor # deleting through a base is undefined behaviour
    -Woverloaded-virtual # a function that was meant to override and hides
    -Wmissing-declarations # a function neither in a header nor in an anonymous namespace
    -Wnull-dereference # where the compiler sees it happen
    -Wimplicit-fallthrough # a case that runs into the next one must say so
    -Wextra-semi # keeps -Wpedantic quiet in other compilers
    -Wformat=2
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond> # else if with the condition of the if
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-branches> # if and else that do the same
    $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op> # && where & was meant, x || x
    $<$<CXX_COMPILER_ID:GNU>:-Wsuggest-override>
    $<$<CXX_COMPILER_ID:Clang>:-Wshadow-all> # what -Wshadow of g++ covers
    $<$<CXX_COMPILER_ID:Clang>:-Wunreachable-code>
    $<$<CXX_COMPILER_ID:Clang>:-Wimplicit-float-conversion>)

if(R1FIT_SANITIZE)
  target_compile_options(r1fit_options INTERFACE -fsanitize=${R1FIT_SANITIZE} -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
  target_link_options(r1fit_options INTERFACE -fsanitize=${R1FIT_SANITIZE})
endif()

if(R1FIT_FUZZ)
  target_compile_options(r1fit_options INTERFACE -fsanitize=fuzzer-no-link) # coverage guides the fuzzer
endif()

if(R1FIT_FIXED OR R1FIT_STATIC)
  # Debian's compilers make position-independent programs unless told otherwise.
  target_compile_options(r1fit_options INTERFACE -fno-pie)
  target_link_options(r1fit_options INTERFACE -static-libgcc -static-libstdc++ -no-pie)
endif()
if(R1FIT_STATIC)
  target_compile_definitions(r1fit_options INTERFACE R1FIT_STATIC) # dlopen does not work then
  target_link_options(r1fit_options INTERFACE -static)
endif()
