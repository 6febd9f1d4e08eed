namespace BraunHeap

inductive Tree where
  | leaf : Tree
  | node : Tree → Nat → Tree → Tree

def insert : Nat → Tree → Tree
  | x, .leaf => .node .leaf x .leaf
  | x, .node l v r => if x ≤ v then .node (insert v r) x l else .node (insert x r) v l

def size : Tree → Nat
  | .leaf => 0
  | .node l _ r => size l + size r + 1

def toList : Tree → List Nat
  | .leaf => []
  | .node l v r => v :: (toList l ++ toList r)

/-- No key is smaller than the one above it. -/
def Heap : Tree → Prop
  | .leaf => True
  | .node l v r => Heap l ∧ Heap r ∧ ∀ x, x ∈ toList l ++ toList r → v ≤ x

/-- The left side holds as many keys as the right one, or one more. -/
def Braun : Tree → Prop
  | .leaf => True
  | .node l _ r => Braun l ∧ Braun r ∧ (size l = size r ∨ size l = size r + 1)

theorem toList_insert (x : Nat) (t : Tree) : (toList (insert x t)).Perm (x :: toList t) := by
  induction t generalizing x with
  | leaf => exact .refl _
  | node l v r _ ihr =>
    have both : ∀ y, (toList (insert y r) ++ toList l).Perm (y :: (toList l ++ toList r)) :=
      fun y => ((ihr y).append_right _).trans ((List.perm_append_comm (l₁ := toList r)).cons y)
    unfold insert
    split
    · exact (both v).cons x
    · exact ((both x).cons v).trans (.swap _ _ _)

theorem insert_heap (x : Nat) (t : Tree) (h : Heap t) : Heap (insert x t) := by
  induction t generalizing x with
  | leaf => simp [insert, Heap, toList]
  | node l v r _ ihr =>
    obtain ⟨hl, hr, hv⟩ := h
    unfold insert
    split
    · rename_i hxv
      refine ⟨ihr v hr, hl, fun y hy => ?_⟩
      rcases List.mem_append.mp hy with hy | hy
      · rcases List.mem_cons.mp ((toList_insert v r).mem_iff.mp hy) with rfl | hy
        · exact hxv
        · exact Nat.le_trans hxv (hv y (List.mem_append_right _ hy))
      · exact Nat.le_trans hxv (hv y (List.mem_append_left _ hy))
    · rename_i hxv
      refine ⟨ihr x hr, hl, fun y hy => ?_⟩
      rcases List.mem_append.mp hy with hy | hy
      · rcases List.mem_cons.mp ((toList_insert x r).mem_iff.mp hy) with rfl | hy
        · omega
        · exact hv y (List.mem_append_right _ hy)
      · exact hv y (List.mem_append_left _ hy)

theorem size_insert (x : Nat) (t : Tree) : size (insert x t) = size t + 1 := by
  induction t generalizing x with
  | leaf => rfl
  | node l v r _ ihr =>
    unfold insert
    split <;> simp only [size, ihr] <;> omega

theorem insert_braun (x : Nat) (t : Tree) (h : Braun t) : Braun (insert x t) := by
  induction t generalizing x with
  | leaf => simp [insert, Braun, size]
  | node l v r _ ihr =>
    obtain ⟨hl, hr, hs⟩ := h
    unfold insert
    split
    · exact ⟨ihr v hr, hl, by rw [size_insert]; omega⟩
    · exact ⟨ihr x hr, hl, by rw [size_insert]; omega⟩

end BraunHeap
