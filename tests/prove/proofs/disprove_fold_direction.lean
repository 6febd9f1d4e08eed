theorem not_fold_direction : ¬ ∀ (op : List Nat → List Nat → List Nat) (e : List Nat)
    (assoc : ∀ x y z, op (op x y) z = op x (op y z)) (xs : List (List Nat)),
    xs.foldl op e = xs.foldr op e := by
  intro h
  have := h (· ++ ·) [0] List.append_assoc [[1]]
  simp at this
