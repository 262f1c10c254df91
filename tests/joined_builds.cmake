# ./dev test joins the tests of several builds into one ctest run, so that one summary speaks for all of them. The
# test file that it writes includes this one first. It puts the build's name in front of the names of a sanitizer
# build's tests (asan.ring.…), which would be the same in each build otherwise. CMake keeps a command that a
# function replaces under its name with an underscore.

foreach(command add_test set_tests_properties)
  # Each argument is quoted by itself: a list among them (LABELS, ENVIRONMENT) would fall apart in ${ARGN}.
  string(CONFIGURE [==[
    function(@command@)
      set(code "_@command@(")
      math(EXPR last "${ARGC} - 1")
      foreach(i RANGE ${last})
        set(argument "${ARGV${i}}")
        if(i EQUAL 0 AND CMAKE_CURRENT_LIST_FILE MATCHES "/build/(asan|tsan)/")
          string(PREPEND argument "${CMAKE_MATCH_1}.")
        endif()
        string(APPEND code " [====[${argument}]====]")
      endforeach()
      cmake_language(EVAL CODE "${code})")
    endfunction()
  ]==] definition @ONLY)
  cmake_language(EVAL CODE "${definition}")
endforeach()
