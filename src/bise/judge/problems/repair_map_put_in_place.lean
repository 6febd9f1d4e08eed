namespace PairMap

def get (k : Nat) : List (Nat × String) → Option String
  | [] => none
  | (j, w) :: m => if j = k then some w else get k m

def put (k : Nat) (v : String) : List (Nat × String) → List (Nat × String)
  | [] => [(k, v)]
  | (j, w) :: m => if j = k then (k, v) :: m else (j, w) :: put k v m

def putAll (pairs : List (Nat × String)) (m : List (Nat × String)) : List (Nat × String) :=
  pairs.foldl (fun m p => put p.1 p.2 m) m

/- Before `put` was changed:

def put (k : Nat) (v : String) (m : List (Nat × String)) : List (Nat × String) := (k, v) :: m

The proof that fitted it, and has to be mended:

theorem get_put (j k : Nat) (v : String) (m : List (Nat × String)) :
    get j (put k v m) = if k = j then some v else get j m := by
  simp [get, put]

theorem length_put (k : Nat) (v : String) (m : List (Nat × String)) :
    (put k v m).length ≤ m.length + 1 := by
  simp [put]

theorem get_putAll (k : Nat) (pairs m : List (Nat × String)) (h : ∀ p, p ∈ pairs → p.1 ≠ k) :
    get k (putAll pairs m) = get k m := by
  unfold putAll
  induction pairs generalizing m with
  | nil => rfl
  | cons p pairs ih =>
    rw [List.foldl_cons, ih _ (fun q hq => h q (List.mem_cons_of_mem _ hq))]
    simp [get, put, h p (by simp)]
-/

theorem get_put (j k : Nat) (v : String) (m : List (Nat × String)) :
    get j (put k v m) = if k = j then some v else get j m := sorry

theorem length_put (k : Nat) (v : String) (m : List (Nat × String)) :
    (put k v m).length ≤ m.length + 1 := sorry

theorem get_putAll (k : Nat) (pairs m : List (Nat × String)) (h : ∀ p, p ∈ pairs → p.1 ≠ k) :
    get k (putAll pairs m) = get k m := sorry

end PairMap
