# r1fit_generate_documents(): the manual page and the scripts that complete r1fit in a shell, made of the
# tables of the help at build time, and installed where man and the shells look for them. A target of its own:
# the program can be built without.
include(GNUInstallDirs)

function(r1fit_generate_documents)
  set(folder ${PROJECT_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${folder})

  add_custom_command(
    OUTPUT ${folder}/r1fit.1
    COMMAND r1fit-generate-manual > ${folder}/r1fit.1
    DEPENDS r1fit-generate-manual
    COMMENT "Generating the manual page"
    VERBATIM)
  set(documents ${folder}/r1fit.1)
  install(FILES ${folder}/r1fit.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

  # The shell, where it looks, and the name it looks for.
  foreach(place "bash;bash-completion/completions;r1fit" "zsh;zsh/site-functions;_r1fit"
                "fish;fish/vendor_completions.d;r1fit.fish")
    list(POP_FRONT place shell where name)
    add_custom_command(
      OUTPUT ${folder}/r1fit.${shell}
      COMMAND r1fit completion ${shell} > ${folder}/r1fit.${shell}
      DEPENDS r1fit
      COMMENT "Generating the completion for ${shell}"
      VERBATIM)
    list(APPEND documents ${folder}/r1fit.${shell})
    install(
      FILES ${folder}/r1fit.${shell}
      DESTINATION ${CMAKE_INSTALL_DATADIR}/${where}
      RENAME ${name})
  endforeach()
  add_custom_target(r1fit_documents ALL DEPENDS ${documents})
endfunction()
