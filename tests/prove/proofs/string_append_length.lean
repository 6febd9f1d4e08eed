theorem string_append_length (s t u : String) :
    (s ++ (t ++ u)).length = u.length + (s.length + t.length) := by
  rw [String.length_append, String.length_append]
  omega
