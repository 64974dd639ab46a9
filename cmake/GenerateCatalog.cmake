# r1fit_generate_catalog(TARGET): adds to TARGET the constant tables made of data/*.json at build time.
#
# r1fit-generate-catalog DATA_DIR OUTPUT.cpp reads the folder through the loader that `--catalog DIR`
# uses, so a fault in the data fails the build with the loader's sentence. The result replaces the old
# source only where it differs: a change of the loader that changes no table recompiles no table.
function(r1fit_generate_catalog target)
  set(data_dir ${PROJECT_SOURCE_DIR}/data)
  set(data models quants files gpus hosts constants engines measurements speed)
  list(TRANSFORM data PREPEND ${data_dir}/)
  list(TRANSFORM data APPEND .json)
  set(output ${PROJECT_BINARY_DIR}/generated/builtin_catalog.cpp)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/generated)

  add_custom_command(
    OUTPUT ${output}
    COMMAND r1fit-generate-catalog ${data_dir} ${output}.new
    COMMAND ${CMAKE_COMMAND} -E copy_if_different ${output}.new ${output}
    DEPENDS r1fit-generate-catalog ${data}
    COMMENT "Generating the built-in catalogue"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
