theorem string_append_length (s t u : String) :
    (s ++ (t ++ u)).length = u.length + (s.length + t.length) := by
  simp [String.length_append]; omega
